package dev.mainstay.storage;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.nio.ByteBuffer;
import java.util.Optional;

/// A flat space of named, immutable objects. Everything Mainstay keeps goes through this door.
///
/// **Names** are 1 to 512 characters of `a-z A-Z 0-9 . _ -`, in segments parted by single `/`; no
/// segment is `.` or `..`, or longer than 255 ([ObjectName]). Stores order them by their ASCII
/// bytes. Callers never use two names that differ in case only, nor an object's name as the folder
/// of another (`a` beside `a/b`): stores on file systems refuse that with
/// [dev.mainstay.base.ErrorCode#STORE_OBJECT_EXISTS].
///
/// **What is atomic.** [#put] either makes the whole object visible under its name or nothing. Of
/// several concurrent puts of one name, by any number of processes, exactly one returns
/// [PutOutcome#CREATED]. An object never changes once it is visible.
///
/// **What is durable.** When [#put] returns [PutOutcome#CREATED] or [PutOutcome#EXISTED], the
/// object survives the loss of power of this host.
///
/// **What may be called again.** Everything. A put whose outcome is unknown (a time-out, a crash)
/// may have happened: call it again, and where the answer is [PutOutcome#EXISTED] compare what is
/// there.
///
/// **On failure** every method throws [dev.mainstay.base.MainstayException] with a 01xx code.
/// [dev.mainstay.base.ErrorCode#STORE_UNAVAILABLE] is worth a retry, the others are not.
///
/// Safe for use by many threads. Calls block.
public interface ObjectStore extends AutoCloseable {
    /// What this store can and cannot do; constant while it is open.
    StoreFacts facts();

    /// Writes an object unless the name is taken.
    ///
    /// @param content the object's bytes: those of the buffers one after the other, each from
    ///   position to limit; neither is changed
    PutOutcome put(String name, ByteBuffer... content);

    /// Puts an object in the place of one that is there and damaged, for repair alone: nothing else
    /// ever changes what a name leads to. Where the name is free it is a put.
    ///
    /// When it returns, every read gets the new bytes, and they are durable. Until then, whatever
    /// happens, a read gets the old bytes or the new ones, never a part; a store that keeps
    /// versions under locks may show nothing for a moment, and keeps the old version below. A
    /// replacement whose outcome is unknown may be made again.
    void replace(String name, ByteBuffer... content);

    /// Bytes that a put of these buffers writes.
    static long length(ByteBuffer... content) {
        long length = 0;
        for (ByteBuffer part : content) {
            length += part.remaining();
        }
        return length;
    }

    /// Reads exactly `length` bytes from `offset` of an object.
    ///
    /// @throws dev.mainstay.base.MainstayException STORE_OBJECT_MISSING, or STORE_READ_SHORT where
    ///   the object ends before `offset + length`
    byte[] get(String name, long offset, int length);

    /// The whole object, or empty if there is none; absence is as certain as with [#size]. In a
    /// store far away it is one request, where a size and a read are two.
    ///
    /// @throws dev.mainstay.base.MainstayException STORE_REFUSED if the object is longer than an
    ///   array can be
    default Optional<byte[]> whole(String name) {
        Optional<Long> size = size(name);
        if (size.isEmpty()) {
            return Optional.empty();
        }
        int length = wholeLength(name, size.get());
        try {
            return Optional.of(get(name, 0, length));
        } catch (MainstayException failed) {
            if (failed.code() == ErrorCode.STORE_OBJECT_MISSING && size(name).isEmpty()) {
                return Optional.empty(); // deleted just now
            }
            throw failed;
        }
    }

    /// Length in bytes of an object that is to be read at once.
    ///
    /// @throws MainstayException STORE_REFUSED if it is longer than an array can be
    static int wholeLength(String name, long sizeBytes) {
        if (sizeBytes > Integer.MAX_VALUE - 8) {
            throw new MainstayException(
                    ErrorCode.STORE_REFUSED,
                    "object '" + name + "' has " + sizeBytes + " bytes, too many to be read whole");
        }
        return (int) sizeBytes;
    }

    /// Size in bytes of the object, or empty if there is none. Absence is an answer, never a guess:
    /// a store that cannot be asked throws.
    Optional<Long> size(String name);

    /// Up to `limit` objects whose names start with `prefix` and come after `after` (exclusive;
    /// empty for the first page), in order. A page shorter than `limit` is not the last one unless
    /// [ListPage#last] says so.
    ///
    /// @param after a name, whether it is there or not, or [ListPage#next] of the page before,
    ///   which some stores can follow with fewer requests
    ListPage list(String prefix, String after, int limit);

    /// Removes an object. A refusal (a retention lock) is an answer, not an error. Removing what is
    /// not there answers [DeleteOutcome#ABSENT].
    DeleteOutcome delete(String name);

    /// The locks of its objects, where it has such and was opened with a rule for them.
    default Optional<ObjectLocks> locks() {
        return Optional.empty();
    }

    @Override
    void close();
}
