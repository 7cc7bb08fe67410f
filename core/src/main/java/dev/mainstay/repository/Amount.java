package dev.mainstay.repository;

/// Objects, and their bytes.
public record Amount(long objects, long bytes) {
    public static final Amount NONE = new Amount(0, 0);

    /// One more object.
    public Amount plus(long size) {
        return new Amount(objects + 1, bytes + size);
    }

    /// Both together.
    public Amount plus(Amount other) {
        return new Amount(objects + other.objects, bytes + other.bytes);
    }
}
