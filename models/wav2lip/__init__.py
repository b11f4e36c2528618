"""The networks of Wav2Lip (Prajwal et al. 2020) and its mel front end."""
