"""The web page and its HTTP API: ``manymesh ui``, with the extra ``manymesh[ui]``.

- ``service.py``: what the page and the API can ask for. ``jobs.py`` runs it, one job at a time. ``progress.py``
  estimates how long a job will take. ``cards.py`` describes jobs and runs as plain data; ``history.py`` lists runs.
- ``page.py``, ``fields.py`` and ``static/``: the page. ``api.py``: the named endpoints.
- ``server.py``: starts it all. Around the page stand, from the outside in, ``answers.py`` (headers), ``security.py``
  (origins, the login, open addresses) and ``limits.py`` (connections, times, requests at once). ``files.py`` has the
  server's own addresses, ``scratch.py`` its temporary folder.

Gradio is imported in ``api.py`` and ``server.py`` alone.
"""
