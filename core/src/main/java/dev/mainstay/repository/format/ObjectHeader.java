package dev.mainstay.repository.format;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.util.Arrays;

/// The first 96 bytes of every object (docs/format.md section 3).
///
/// @param scope whose key seals the object
/// @param salt 32 random bytes, never used twice
/// @param commitment binds the object to exactly one key; for an unsealed object the SHA-256 of the
///   64 bytes before it
public record ObjectHeader(
        ObjectType type, boolean sealed, KeyScope scope, byte[] salt, byte[] commitment) {
    public static final int SIZE = 96;
    public static final int FORMAT_VERSION = 1;
    private static final byte[] MAGIC = {'M', 'N', 'S', 'T', 'A', 'Y', '\r', '\n'};

    byte[] toBytes() {
        byte[] bytes = prefix();
        System.arraycopy(commitment, 0, bytes, 64, 32);
        return bytes;
    }

    /// The header with a commitment of zeros: what an unsealed object's commitment is the hash of.
    byte[] prefix() {
        byte[] bytes = new byte[SIZE];
        System.arraycopy(MAGIC, 0, bytes, 0, 8);
        bytes[8] = FORMAT_VERSION;
        bytes[9] = (byte) type.number();
        bytes[10] = (byte) (sealed ? 1 : 0);
        bytes[11] = (byte) scope.kind();
        Bytes.putInt(bytes, 12, scope.epoch());
        System.arraycopy(scope.sourceBytes(), 0, bytes, 16, 16);
        System.arraycopy(salt, 0, bytes, 32, 32);
        return bytes;
    }

    /// Reads and judges a header.
    ///
    /// @param name of the object, for errors
    /// @throws MainstayException REPOSITORY_FOREIGN if this is no object of ours, REPOSITORY_NEWER
    ///   if its version is unknown, OBJECT_DAMAGED if a field is impossible
    public static ObjectHeader read(String name, ObjectType expected, byte[] bytes) {
        if (bytes.length < SIZE) {
            throw new MainstayException(
                    ErrorCode.PACK_TRUNCATED,
                    "object " + name + " is only " + bytes.length + " bytes long");
        }
        if (!Arrays.equals(bytes, 0, 8, MAGIC, 0, 8)) {
            throw new MainstayException(
                    ErrorCode.REPOSITORY_FOREIGN,
                    "object " + name + " was not written by Mainstay");
        }
        if (bytes[8] != FORMAT_VERSION) {
            throw new MainstayException(
                    ErrorCode.REPOSITORY_NEWER,
                    "object "
                            + name
                            + " has format version "
                            + (bytes[8] & 0xFF)
                            + ", this program reads version "
                            + FORMAT_VERSION);
        }
        if (expected == ObjectType.WAL_SEGMENT && bytes[9] == ObjectType.WAL_TOMBSTONE.number()) {
            throw new MainstayException(
                    ErrorCode.REPOSITORY_NEWER,
                    "object "
                            + name
                            + " stands for a bundled segment, which this program cannot"
                            + " read");
        }
        if (bytes[9] != expected.number() || (bytes[10] & ~1) != 0) {
            throw damaged(name, "is no " + expected);
        }
        KeyScope scope = KeyScope.read(name, bytes);
        ObjectHeader header =
                new ObjectHeader(
                        expected,
                        bytes[10] == 1,
                        scope,
                        Arrays.copyOfRange(bytes, 32, 64),
                        Arrays.copyOfRange(bytes, 64, 96));
        if (header.sealed == (scope.kind() == KeyScope.NONE)) {
            throw damaged(name, "contradicts itself about its sealing");
        }
        if (!header.sealed
                && !Arrays.equals(header.commitment, Bytes.sha256(header.prefix(), 0, 64))) {
            throw damaged(name, "has a damaged header");
        }
        return header;
    }

    static MainstayException damaged(String name, String why) {
        return new MainstayException(ErrorCode.OBJECT_DAMAGED, "object " + name + " " + why);
    }
}
