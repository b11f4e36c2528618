"""Machine translation, with the candidates of the beam."""
