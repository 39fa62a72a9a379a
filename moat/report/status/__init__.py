"""How far a study is, from its files alone."""
