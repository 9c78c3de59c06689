"""Which file lies in which layer, and the links between them."""
