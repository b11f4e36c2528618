"""How a recording sounds: levels, background, room. Arithmetic on arrays, nothing trained."""
