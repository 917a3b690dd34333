"""The web page and its HTTP API: ``manymesh ui``, with the extra ``manymesh[ui]``.

``studio.py`` is what the page and the API can ask for; ``jobs.py`` runs it, one at a time; ``cards.py`` tells how
things stand as plain data; ``page.py`` and ``static/`` show it; ``server.py`` decides who may come in. Gradio is
imported in ``page.py``, ``fields.py``, ``theme.py``, ``api.py`` and ``server.py`` alone.
"""
