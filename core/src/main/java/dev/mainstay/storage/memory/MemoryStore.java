package dev.mainstay.storage.memory;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.DeleteOutcome;
import dev.mainstay.storage.ListPage;
import dev.mainstay.storage.ObjectName;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.StoreFacts;
import dev.mainstay.storage.StoredObject;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;

/// Objects in the memory of this process. Everything the door promises but survival; as strict
/// about names as a file system is. Closing it changes nothing, so that a test can close and open
/// again what stands above it.
public final class MemoryStore implements ObjectStore {
    private static final StoreFacts FACTS = new StoreFacts("memory:", true, true, false, false);

    // Java orders strings by UTF-16 units, which for names is their ASCII order.
    private final ConcurrentSkipListMap<String, byte[]> objects = new ConcurrentSkipListMap<>();
    private final Object puts = new Object();

    private MemoryStore() {}

    public static MemoryStore create() {
        return new MemoryStore();
    }

    @Override
    public StoreFacts facts() {
        return FACTS;
    }

    @Override
    public PutOutcome put(String name, ByteBuffer... content) {
        ObjectName.check(name);
        byte[] bytes = joined(content);
        synchronized (puts) {
            if (objects.containsKey(name)) {
                return PutOutcome.EXISTED;
            }
            refuseFolders(name);
            objects.put(name, bytes);
            return PutOutcome.CREATED;
        }
    }

    @Override
    public void replace(String name, ByteBuffer... content) {
        ObjectName.check(name);
        byte[] bytes = joined(content);
        synchronized (puts) {
            refuseFolders(name);
            objects.put(name, bytes);
        }
    }

    private static byte[] joined(ByteBuffer... content) {
        byte[] bytes = new byte[Math.toIntExact(ObjectStore.length(content))];
        int at = 0;
        for (ByteBuffer part : content) {
            part.get(part.position(), bytes, at, part.remaining());
            at += part.remaining();
        }
        return bytes;
    }

    private void refuseFolders(String name) {
        for (int slash = name.indexOf('/'); slash >= 0; slash = name.indexOf('/', slash + 1)) {
            String folder = name.substring(0, slash);
            if (objects.containsKey(folder)) {
                throw taken("'" + name + "' cannot lie inside the object '" + folder + "'");
            }
        }
        String first = objects.ceilingKey(name + "/");
        if (first != null && first.startsWith(name + "/")) {
            throw taken("'" + name + "' is the folder of '" + first + "'");
        }
    }

    private static MainstayException taken(String message) {
        return new MainstayException(ErrorCode.STORE_OBJECT_EXISTS, message);
    }

    @Override
    public byte[] get(String name, long offset, int length) {
        ObjectName.check(name);
        if (offset < 0 || length < 0) {
            throw new IllegalArgumentException("negative range: " + offset + ", " + length);
        }
        byte[] bytes = objects.get(name);
        if (bytes == null) {
            throw new MainstayException(
                    ErrorCode.STORE_OBJECT_MISSING, "object '" + name + "' is missing");
        }
        if (offset > bytes.length - (long) length) {
            throw new MainstayException(
                    ErrorCode.STORE_READ_SHORT,
                    "object '%s' has %d bytes, %d were wanted from %d"
                            .formatted(name, bytes.length, length, offset));
        }
        byte[] range = new byte[length];
        System.arraycopy(bytes, (int) offset, range, 0, length);
        return range;
    }

    @Override
    public Optional<byte[]> whole(String name) {
        return Optional.ofNullable(objects.get(ObjectName.check(name))).map(byte[]::clone);
    }

    @Override
    public Optional<Long> size(String name) {
        return Optional.ofNullable(objects.get(ObjectName.check(name)))
                .map(bytes -> (long) bytes.length);
    }

    @Override
    public ListPage list(String prefix, String after, int limit) {
        ObjectName.checkPrefix(prefix);
        if (limit < 1) {
            throw new IllegalArgumentException("limit " + limit);
        }
        boolean fromPrefix = after.compareTo(prefix) < 0;
        var tail = objects.tailMap(fromPrefix ? prefix : after, fromPrefix);
        List<StoredObject> page = new ArrayList<>();
        for (var entry : tail.entrySet()) {
            if (!entry.getKey().startsWith(prefix)) {
                break;
            }
            if (page.size() == limit) {
                return new ListPage(page, false);
            }
            page.add(new StoredObject(entry.getKey(), entry.getValue().length));
        }
        return new ListPage(page, true);
    }

    @Override
    public DeleteOutcome delete(String name) {
        return objects.remove(ObjectName.check(name)) == null
                ? DeleteOutcome.ABSENT
                : DeleteOutcome.DELETED;
    }

    @Override
    public void close() {}
}
