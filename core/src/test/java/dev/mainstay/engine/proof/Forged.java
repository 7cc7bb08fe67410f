package dev.mainstay.engine.proof;

import dev.mainstay.repository.format.FrameCoder;
import dev.mainstay.repository.format.FrameKind;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.KeyScope;
import dev.mainstay.repository.format.ObjectSeal;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.repository.format.SealedObject;
import dev.mainstay.storage.ObjectStore;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/// What somebody can do who may write to the store and has no key.
final class Forged {
    private Forged() {}

    static void label(ObjectStore store, String name, String label) {
        put(store, name, read(store, name).put("label", label));
    }

    static Json read(ObjectStore store, String name) {
        byte[] bytes = store.get(name, 0, store.size(name).orElseThrow().intValue());
        try (FrameCoder coder = new FrameCoder(3)) {
            return Json.parse(
                    name,
                    SealedObject.read(
                                    name,
                                    ObjectType.ROOT_KEY,
                                    bytes,
                                    coder,
                                    header -> ObjectSeal.open(name, header, Optional.empty()))
                            .getFirst()
                            .payload());
        }
    }

    static void put(ObjectStore store, String name, Json body) {
        try (FrameCoder coder = new FrameCoder(3)) {
            byte[] bytes =
                    SealedObject.write(
                            coder,
                            ObjectSeal.create(
                                    ObjectType.ROOT_KEY,
                                    KeyScope.none(),
                                    Optional.empty(),
                                    new byte[32]),
                            List.of(
                                    new SealedObject.Part(
                                            FrameKind.BODY, new byte[0], body.toBytes())));
            store.delete(name);
            store.put(name, ByteBuffer.wrap(bytes));
        }
    }
}
