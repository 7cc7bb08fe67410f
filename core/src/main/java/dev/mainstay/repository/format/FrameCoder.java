package dev.mainstay.repository.format;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdDecompressCtx;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Optional;

import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;

/// Compresses, seals, opens and decompresses frames (docs/format.md section 4). Owns native memory
/// and scratch buffers: one for each thread, closed after use.
///
/// A frame is `u32 length, body`; the body is the sealed plain content and a 16-byte tag. The plain
/// content is `u8 kind, u8 codec, varint meta length, meta, varint payload length, payload`.
public final class FrameCoder implements AutoCloseable {
    /// Bytes of a frame besides its content: the length before it and the tag after it.
    public static final int OVERHEAD = 4 + 16;

    private static final int STORED = 0;
    private static final int ZSTD = 1;
    private static final int TAG = 16;

    /// No frame's payload is larger; a reader never allocates more.
    public static final int MAX_PAYLOAD = 16 << 20;

    /// What was compressed and is to be sealed.
    private record Pending(FrameKind kind, byte[] meta, byte[] content, int offset, int length) {
        static final Pending NOTHING = new Pending(FrameKind.BODY, new byte[0], new byte[0], 0, 0);
    }

    private final ZstdCompressCtx compressor;
    private final ZstdDecompressCtx decompressor;
    private final Cipher cipher;
    private final MessageDigest digest = Bytes.sha256();
    private final byte[] aad = new byte[ObjectHeader.SIZE + 8 + 8 + 4];
    private byte[] plain = new byte[0];
    private int plainLength;
    private Pending pending = Pending.NOTHING;
    private byte[] sealed = new byte[0];
    private byte[] opened = new byte[0];
    private int openedLength;
    private byte[] payload = new byte[0];

    /// @throws MainstayException what [ZstdLibrary#load] throws
    public FrameCoder(int zstdLevel) {
        ZstdLibrary.load();
        compressor = compressor(zstdLevel);
        decompressor = new ZstdDecompressCtx();
        try {
            cipher = Cipher.getInstance("AES/GCM/NoPadding");
        } catch (GeneralSecurityException everyJdkHasIt) {
            throw new AssertionError(everyJdkHasIt);
        }
    }

    /// Level 3 takes tables of half the usual size (docs/decisions/0009): beside a frame they fit
    /// in the cache of a processor core.
    private static ZstdCompressCtx compressor(int zstdLevel) {
        ZstdCompressCtx context = new ZstdCompressCtx().setLevel(zstdLevel).setChecksum(false);
        return zstdLevel == 3 ? context.setHashLog(16).setChainLog(15) : context;
    }

    /// Most bytes that a frame of this content takes.
    public static int bound(int metaLength, int payloadLength) {
        ZstdLibrary.load();
        return OVERHEAD + 2 + 5 + metaLength + 5 + (int) Zstd.compressBound(payloadLength);
    }

    /// Appends a frame to `out` at `position`; [#compress] and [#seal] in one.
    ///
    /// @param number of the frame in its object; with the object's key it is used once
    /// @param offset of the frame in its object
    /// @return the frame's length in bytes
    /// @throws MainstayException BACKUP_FRAME_MISMATCH if what was sealed does not open to the same
    public int append(
            ObjectSeal seal,
            int number,
            long offset,
            FrameKind kind,
            byte[] meta,
            byte[] content,
            int contentOffset,
            int contentLength,
            byte[] out,
            int position) {
        int length = compress(kind, meta, content, contentOffset, contentLength);
        System.arraycopy(seal(seal, number, offset), 0, out, position, length);
        return length;
    }

    /// Compresses what [#seal] seals next: how long a frame is has to be known before its place in
    /// the object is, and the place is part of the seal.
    ///
    /// @param content is read again by [#seal]
    /// @return the frame's length in bytes
    public int compress(
            FrameKind kind, byte[] meta, byte[] content, int contentOffset, int contentLength) {
        pending = new Pending(kind, meta, content, contentOffset, contentLength);
        plainLength = encode(kind, meta, content, contentOffset, contentLength);
        return 4 + plainLength + TAG;
    }

    /// Takes a frame as it is, still compressed, as what [#seal] seals next: into another object.
    ///
    /// @param frame what this opened last
    /// @return the frame's length in bytes
    public int take(Frame frame) {
        pending = new Pending(frame.kind(), frame.meta(), frame.toBytes(), 0, frame.length());
        if (plain.length < openedLength) {
            plain = new byte[openedLength];
        }
        System.arraycopy(opened, 0, plain, 0, openedLength);
        plainLength = openedLength;
        return 4 + plainLength + TAG;
    }

    /// Seals the frame compressed last, then opens it again and compares, so that nothing is stored
    /// that would not come back.
    ///
    /// @param number of the frame in its object; with the object's key it is used once
    /// @param offset of the frame in its object
    /// @return the frame from index 0 on; valid until the next call
    /// @throws MainstayException BACKUP_FRAME_MISMATCH if what was sealed does not open to the same
    public byte[] seal(ObjectSeal seal, int number, long offset) {
        int length = 4 + plainLength + TAG;
        if (sealed.length < length) {
            sealed = new byte[Math.max(length, plain.length)];
        }
        Bytes.putInt(sealed, 0, length - 4);
        associate(seal, number, offset, length - 4);
        seal(seal, number, plainLength, sealed, 4);
        Frame back = open("new frame", seal, number, offset, sealed, 0, length);
        Pending was = pending;
        if (back.kind() != was.kind
                || !Arrays.equals(back.meta(), was.meta)
                || !Arrays.equals(
                        back.payload(),
                        0,
                        back.length(),
                        was.content,
                        was.offset,
                        was.offset + was.length)) {
            throw mismatch();
        }
        pending = Pending.NOTHING;
        return sealed;
    }

    private static MainstayException mismatch() {
        return new MainstayException(
                ErrorCode.BACKUP_FRAME_MISMATCH, "a frame did not open to what was sealed");
    }

    private int encode(FrameKind kind, byte[] meta, byte[] content, int offset, int length) {
        int bound = bound(meta.length, length);
        if (plain.length < bound) {
            plain = new byte[bound];
        }
        int at = 0;
        plain[at++] = (byte) kind.number();
        int codecAt = at++;
        at = varint(plain, at, meta.length);
        System.arraycopy(meta, 0, plain, at, meta.length);
        at += meta.length;
        at = varint(plain, at, length);
        int packed =
                length == 0
                        ? 0
                        : compressor.compressByteArray(
                                plain, at, plain.length - at, content, offset, length);
        if (length > 0 && packed < length) {
            plain[codecAt] = ZSTD;
            return at + packed;
        }
        plain[codecAt] = STORED;
        System.arraycopy(content, offset, plain, at, length);
        return at + length;
    }

    private static int varint(byte[] out, int position, int value) {
        int at = position;
        int rest = value;
        while ((rest & ~0x7F) != 0) {
            out[at++] = (byte) (rest & 0x7F | 0x80);
            rest >>>= 7;
        }
        out[at++] = (byte) rest;
        return at;
    }

    private void associate(ObjectSeal seal, int number, long offset, int bodyLength) {
        System.arraycopy(seal.headerBytes(), 0, aad, 0, ObjectHeader.SIZE);
        Bytes.putLong(aad, ObjectHeader.SIZE, number);
        Bytes.putLong(aad, ObjectHeader.SIZE + 8, offset);
        Bytes.putInt(aad, ObjectHeader.SIZE + 16, bodyLength);
    }

    private void initCipher(int mode, SecretKey key, int number) throws GeneralSecurityException {
        byte[] nonce = new byte[12];
        Bytes.putInt(nonce, 8, number);
        cipher.init(mode, key, new GCMParameterSpec(TAG * 8, nonce));
        cipher.updateAAD(aad);
    }

    private void seal(ObjectSeal seal, int number, int plainLength, byte[] out, int position) {
        Optional<SecretKey> key = seal.key();
        if (key.isEmpty()) {
            System.arraycopy(plain, 0, out, position, plainLength);
            System.arraycopy(openTag(plain, 0, plainLength), 0, out, position + plainLength, TAG);
            return;
        }
        try {
            initCipher(Cipher.ENCRYPT_MODE, key.get(), number);
            cipher.doFinal(plain, 0, plainLength, out, position);
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException("sealing failed", impossible);
        }
    }

    /// Without a key the tag only finds damage: the start of a SHA-256 over the same bytes.
    private byte[] openTag(byte[] bytes, int offset, int length) {
        digest.reset();
        digest.update(aad);
        digest.update(bytes, offset, length);
        return Arrays.copyOf(digest.digest(), TAG);
    }

    /// Opens a frame.
    ///
    /// @param name of the object, for errors
    /// @param length of the frame in bytes, with its length field
    /// @throws MainstayException SEAL_BROKEN if any byte, or the place, is not what was sealed
    public Frame open(
            String name,
            ObjectSeal seal,
            int number,
            long offset,
            byte[] bytes,
            int position,
            int length) {
        int body = length - 4;
        if (body < TAG + 4 || Bytes.getInt(bytes, position) != body) {
            throw broken(name, number, null);
        }
        associate(seal, number, offset, body);
        openedLength = unseal(name, seal, number, bytes, position + 4, body);
        WireReader reader =
                new WireReader("frame " + number + " of " + name, opened, 0, openedLength);
        FrameKind kind = FrameKind.of(reader, reader.u8());
        int codec = reader.u8();
        byte[] meta = reader.bytes();
        int payloadLength = reader.count();
        if (payloadLength > MAX_PAYLOAD) {
            throw reader.malformed("payload of " + payloadLength + " bytes");
        }
        if (payload.length < payloadLength) {
            payload = new byte[payloadLength];
        }
        expand(reader, codec, payloadLength);
        return new Frame(kind, meta, payload, payloadLength);
    }

    private void expand(WireReader reader, int codec, int payloadLength) {
        int packed = reader.remaining();
        if (codec == STORED && packed == payloadLength) {
            System.arraycopy(opened, reader.position(), payload, 0, packed);
        } else if (codec == ZSTD && payloadLength > 0) {
            int got;
            try {
                got =
                        decompressor.decompressByteArray(
                                payload, 0, payloadLength, opened, reader.position(), packed);
            } catch (com.github.luben.zstd.ZstdException wrong) {
                throw reader.malformed("zstd: " + wrong.getMessage());
            }
            if (got != payloadLength) {
                throw reader.malformed("payload ends early");
            }
        } else {
            throw reader.malformed("codec " + codec);
        }
    }

    private int unseal(
            String name, ObjectSeal seal, int number, byte[] bytes, int position, int body) {
        int plainLength = body - TAG;
        if (opened.length < plainLength) {
            opened = new byte[Math.max(plainLength, 1 << 16)];
        }
        Optional<SecretKey> key = seal.key();
        if (key.isEmpty()) {
            byte[] tag = openTag(bytes, position, plainLength);
            if (!Arrays.equals(tag, 0, TAG, bytes, position + plainLength, position + body)) {
                throw broken(name, number, null);
            }
            System.arraycopy(bytes, position, opened, 0, plainLength);
            return plainLength;
        }
        try {
            initCipher(Cipher.DECRYPT_MODE, key.get(), number);
            return cipher.doFinal(bytes, position, body, opened, 0);
        } catch (AEADBadTagException wrong) {
            throw broken(name, number, wrong);
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException("opening failed", impossible);
        }
    }

    private static MainstayException broken(
            String name, int number, @org.jspecify.annotations.Nullable Throwable cause) {
        return new MainstayException(
                ErrorCode.SEAL_BROKEN,
                "frame " + number + " of object " + name + " is not what was sealed",
                cause);
    }

    @Override
    public void close() {
        compressor.close();
        decompressor.close();
    }
}
