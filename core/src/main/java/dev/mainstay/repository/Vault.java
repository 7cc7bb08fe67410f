package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.FrameCoder;
import dev.mainstay.repository.format.FrameKind;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.KeyScope;
import dev.mainstay.repository.format.ObjectHeader;
import dev.mainstay.repository.format.ObjectSeal;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.repository.format.SealedObject;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.PutOutcome;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/// Reads and writes whole objects under the keys of one scope.
final class Vault {
    /// Level for small objects; packs and WAL have the configured one.
    static final int SMALL_LEVEL = 3;

    final ObjectStore store;
    final Ground ground;
    private final KeyScope scope;
    private final Optional<byte[]> newKey;
    private final Function<KeyScope, Optional<byte[]>> keys;

    /// @param scope new objects are sealed in
    /// @param newKey its key, or empty where sealing is off
    /// @param keys the key of any scope this vault may open
    Vault(
            ObjectStore store,
            Ground ground,
            KeyScope scope,
            Optional<byte[]> newKey,
            Function<KeyScope, Optional<byte[]>> keys) {
        this.store = store;
        this.ground = ground;
        this.scope = scope;
        this.newKey = newKey;
        this.keys = keys;
    }

    ObjectSeal newSeal(ObjectType type) {
        return ObjectSeal.create(type, scope, newKey, ground.randomBytes(32));
    }

    /// Opens an object's seal; an unsealed object in a sealed repository is a forgery.
    ObjectSeal openSeal(String name, ObjectHeader header) {
        if (!header.sealed() && newKey.isPresent()) {
            throw new MainstayException(
                    ErrorCode.SEAL_BROKEN,
                    "object " + name + " is not sealed, though this repository is encrypted");
        }
        return ObjectSeal.open(name, header, keys.apply(header.scope()));
    }

    byte[] sealJson(ObjectType type, Json body) {
        try (FrameCoder coder = new FrameCoder(SMALL_LEVEL)) {
            return SealedObject.write(
                    coder,
                    newSeal(type),
                    List.of(new SealedObject.Part(FrameKind.BODY, new byte[0], body.toBytes())));
        }
    }

    PutOutcome put(String name, byte[] bytes) {
        return put(name, ByteBuffer.wrap(bytes));
    }

    PutOutcome put(String name, ByteBuffer bytes) {
        return store.put(name, bytes);
    }

    /// The whole object.
    byte[] get(String name) {
        long size =
                store.size(name)
                        .orElseThrow(
                                () ->
                                        new MainstayException(
                                                ErrorCode.STORE_OBJECT_MISSING,
                                                "object " + name + " is missing"));
        return store.get(name, 0, Math.toIntExact(size));
    }

    /// Whether an object that could not be read is not there any more, rather than damaged.
    boolean isGone(String name, MainstayException why) {
        return why.code() == ErrorCode.STORE_OBJECT_MISSING && store.size(name).isEmpty();
    }

    List<SealedObject.Part> open(String name, ObjectType type, byte[] bytes) {
        try (FrameCoder coder = new FrameCoder(SMALL_LEVEL)) {
            return SealedObject.read(name, type, bytes, coder, header -> openSeal(name, header));
        }
    }

    /// As [#open(String, ObjectType, byte[])], one frame at a time.
    <E extends Exception> void open(
            String name, ObjectType type, byte[] bytes, SealedObject.Frames<E> frames) throws E {
        try (FrameCoder coder = new FrameCoder(SMALL_LEVEL)) {
            SealedObject.read(name, type, bytes, coder, header -> openSeal(name, header), frames);
        }
    }

    Json openJson(String name, ObjectType type, byte[] bytes) {
        return Json.parse("object " + name, open(name, type, bytes).getFirst().payload());
    }
}
