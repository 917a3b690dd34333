"""Which objects are in the photo, and where. Importing this loads no network and no large library."""
