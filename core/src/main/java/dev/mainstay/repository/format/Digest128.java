package dev.mainstay.repository.format;

import com.dynatrace.hash4j.hashing.HashValue128;
import com.dynatrace.hash4j.hashing.Hasher128;
import com.dynatrace.hash4j.hashing.Hashing;

import java.util.HexFormat;

/// XXH3-128 of a frame's payload: what a segment map knows of each frame, so that a relocated frame
/// is only taken where it holds the same bytes; and of a WAL file. It stands inside sealed maps and
/// objects and guards against mix-ups; against forgery stand the seal and the pack's SHA-256.
public record Digest128(long high, long low) {
    private static final Hasher128 HASHER = Hashing.xxh3_128();

    public static Digest128 of(byte[] bytes, int offset, int length) {
        HashValue128 value = HASHER.hashBytesTo128Bits(bytes, offset, length);
        return new Digest128(value.getMostSignificantBits(), value.getLeastSignificantBits());
    }

    /// The digest of what comes in pieces: that of the pieces' own digests, one after the other.
    public static final class OfPieces {
        private final WireWriter digests = new WireWriter(512);

        /// Takes the next piece.
        ///
        /// @return its own digest
        public Digest128 add(byte[] bytes, int offset, int length) {
            Digest128 piece = of(bytes, offset, length);
            piece.write(digests);
            return piece;
        }

        /// Of all that came.
        public Digest128 value() {
            return of(digests.array(), 0, digests.size());
        }
    }

    /// 32 hex digits.
    @Override
    public String toString() {
        HexFormat hex = HexFormat.of();
        return hex.toHexDigits(high) + hex.toHexDigits(low);
    }

    void write(WireWriter out) {
        out.u64(high).u64(low);
    }

    static Digest128 read(WireReader in) {
        return new Digest128(in.u64(), in.u64());
    }
}
