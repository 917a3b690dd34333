"""How the lite engine's shape network is made: shapes, pictures of them, training, evaluation, export."""
