"""Video Rewrite: a new mouth out of the speaker's own frames (Bregler, Covell, Slaney 1997; Suwajanakorn 2017)."""
