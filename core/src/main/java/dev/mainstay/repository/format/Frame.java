package dev.mainstay.repository.format;

/// An opened frame.
///
/// @param meta what the kind says about the payload
/// @param payload a buffer that may be larger than the payload and is valid until the coder's next
///   call
/// @param length bytes of payload
public record Frame(FrameKind kind, byte[] meta, byte[] payload, int length) {
    public byte[] toBytes() {
        return java.util.Arrays.copyOf(payload, length);
    }
}
