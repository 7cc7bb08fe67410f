package dev.mainstay.storage.gcs;

import com.google.api.client.http.HttpResponse;
import com.google.api.services.storage.Storage;
import com.google.api.services.storage.model.StorageObject;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.remote.BrokenConnection;
import dev.mainstay.storage.remote.ByteRanges;
import dev.mainstay.storage.remote.GcsPlace;


import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;

/// Ranges and sizes of objects.
final class GcsReads {
    private final Storage client;
    private final GcsPlace place;
    private final Failures failures;

    GcsReads(Storage client, GcsPlace place, Failures failures) {
        this.client = client;
        this.place = place;
        this.failures = failures;
    }

    /// @param length more than 0
    byte[] range(String name, String key, long offset, int length) {
        String what = "cannot read '" + name + "'";
        try {
            Storage.Objects.Get get = client.objects().get(place.bucket(), key);
            get.getRequestHeaders().setRange("bytes=" + offset + "-" + (offset + length - 1));
            get.getRequestHeaders().setAcceptEncoding("identity");
            get.setReturnRawInputStream(true);
            HttpResponse answer = get.executeMedia();
            try (InputStream body = answer.getContent()) {
                return whole(name, answer, body, offset, length);
            } finally {
                answer.disconnect();
            }
        } catch (IOException failed) {
            if (Failures.status(failed) == 416) {
                throw ByteRanges.tooShort(name, Optional.empty(), offset, length);
            }
            if (isAbsent(name, failed)) {
                throw ByteRanges.missing(name, failed);
            }
            throw failures.translate(what, failed);
        }
    }

    /// All of an object; empty if there is none.
    Optional<byte[]> whole(String name, String key) {
        String what = "cannot read '" + name + "'";
        try {
            Storage.Objects.Get get = client.objects().get(place.bucket(), key);
            get.getRequestHeaders().setAcceptEncoding("identity");
            get.setReturnRawInputStream(true);
            HttpResponse answer = get.executeMedia();
            try (InputStream body = answer.getContent()) {
                return Optional.of(whole(name, answer, body));
            } finally {
                answer.disconnect();
            }
        } catch (IOException failed) {
            if (isAbsent(name, failed)) {
                return Optional.empty();
            }
            throw failures.translate(what, failed);
        }
    }

    private byte[] whole(String name, HttpResponse answer, InputStream body) throws IOException {
        Long told = answer.getHeaders().getContentLength();
        if (told == null) {
            throw cut(name, "the server does not say how long it is");
        }
        byte[] bytes = body.readNBytes(ObjectStore.wholeLength(name, told));
        if (bytes.length < told) {
            throw cut(name, "the answer ended after " + bytes.length + " of " + told + " bytes");
        }
        return bytes;
    }

    private MainstayException cut(String name, String why) {
        return BrokenConnection.told(
                "cannot read '" + name + "'",
                place.url(),
                new IOException(why),
                Failures.SERVER_SETTINGS);
    }

    /// A server may ignore the range, or send what there is of it.
    private byte[] whole(
            String name, HttpResponse answer, InputStream body, long offset, int length)
            throws IOException {
        String told = answer.getHeaders().getContentRange();
        if (told == null ? offset != 0 : !told.startsWith("bytes " + offset + "-")) {
            throw failures.hinted(
                    ErrorCode.STORE_REFUSED,
                    "cannot read '" + name + "'",
                    "the server ignores ranges (asked from " + offset + ", answered '" + told + "')",
                    "use a server that supports ranges of bytes",
                    null);
        }
        byte[] bytes = body.readNBytes(length);
        if (bytes.length == length) {
            return bytes;
        }
        Optional<Long> size = Optional.ofNullable(told).flatMap(ByteRanges::size);
        Long sent = answer.getHeaders().getContentLength();
        if (size.isPresent() ? size.get() < offset + length : sent != null && sent == bytes.length) {
            throw ByteRanges.tooShort(name, size, offset, length);
        }
        throw cut(name, "the answer ended after " + bytes.length + " of " + length + " bytes");
    }

    Optional<Long> size(String name, String key) {
        try {
            Storage.Objects.Get get = client.objects().get(place.bucket(), key);
            get.setFields("size");
            StorageObject object = get.execute();
            return Optional.of(object.getSize().longValueExact());
        } catch (IOException failed) {
            if (isAbsent(name, failed)) {
                return Optional.empty();
            }
            throw failures.translate("cannot look for '" + name + "'", failed);
        }
    }

    /// Whether a failure means that there is no such object. Where the server does not say whether it
    /// is that or the bucket that is missing, the bucket is asked.
    boolean isAbsent(String name, IOException failed) {
        if (Failures.status(failed) != 404) {
            return false;
        }
        if (Failures.namesObject(failed)) {
            return true;
        }
        try {
            client.objects().list(place.bucket()).setMaxResults(1L).setFields("kind").execute();
            return true;
        } catch (IOException worse) {
            throw failures.translate("cannot look for '" + name + "'", worse);
        }
    }
}
