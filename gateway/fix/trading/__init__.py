"""What clients say over FIX 4.4 and hear back, between fields and plain values. It knows no engine."""
