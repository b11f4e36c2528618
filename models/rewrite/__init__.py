"""Video Rewrite: a new mouth out of the speaker's own frames (Bregler, Covell, Slaney 1997; Suwajanakorn 2017).

jpeg, origin, scale = pack_crop(frame, points)                    # once for every frame that `select` keeps
library = FaceLibrary(...)                                        # to_arrays() and from_arrays() for storage
rows = choose(shapes, poses, breaks, library, barred=ranges)      # one row for each frame
mixes = blends(rows, breaks, library)                             # and a short dissolve at each joint
drafts = (lay(frame, points, library.crop(mix.row), wanted, other=...) for ...)
for patch in finish_all(drafts): changed = patch.onto(frame)      # light smoothed over time
"""
