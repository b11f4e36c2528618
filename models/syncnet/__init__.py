"""SyncNet (Chung and Zisserman 2016), its MFCC front end and the LSE metrics."""
