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

/// Reads and writes whole objects under the keys of one keyring.
final class Vault {
    /// Level for small objects; packs and WAL have the configured one.
    static final int SMALL_LEVEL = 3;

    final ObjectStore store;
    final Ground ground;
    private final Keyring keys;

    Vault(ObjectStore store, Ground ground, Keyring keys) {
        this.store = store;
        this.ground = ground;
        this.keys = keys;
    }

    /// @throws MainstayException if nothing may be written with these keys
    ObjectSeal newSeal(ObjectType type) {
        KeyScope scope = keys.newest();
        Optional<byte[]> key = keys.seals() ? keys.key(scope) : Optional.empty();
        return ObjectSeal.create(type, scope, key, ground.randomBytes(32));
    }

    /// Opens an object's seal; an unsealed object in a sealed repository is a forgery.
    ObjectSeal openSeal(String name, ObjectHeader header) {
        if (!header.sealed() && keys.seals()) {
            throw new MainstayException(
                    ErrorCode.SEAL_BROKEN,
                    "object " + name + " is not sealed, though this repository is encrypted");
        }
        return ObjectSeal.open(name, header, keys.key(header.scope()));
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
        return find(name)
                .orElseThrow(
                        () ->
                                new MainstayException(
                                        ErrorCode.STORE_OBJECT_MISSING,
                                        "object " + name + " is missing"));
    }

    /// The whole object, if there is one.
    Optional<byte[]> find(String name) {
        return store.whole(name);
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
