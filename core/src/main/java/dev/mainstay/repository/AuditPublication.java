package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.crypto.SigningKey;
import dev.mainstay.repository.format.Bytes;
import dev.mainstay.repository.format.FrameCoder;
import dev.mainstay.repository.format.FrameKind;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.repository.format.SealedObject;
import dev.mainstay.repository.format.WireReader;
import dev.mainstay.repository.format.WireWriter;

import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/// A signed head of an audit trail in the repository, with the entries since the one before
/// (docs/format.md section 14): objects below `audit/`, that of number 0 with the public key.
///
/// @param sha256 of the object
/// @param last number of the newest entry that it covers
/// @param head hash of that entry
/// @param key the public key, in that of number 0
/// @param earlier publications that there were before, by name, with the SHA-256 of each
public record AuditPublication(
        String object,
        String sha256,
        String trail,
        long last,
        String head,
        Instant published,
        Optional<byte[]> key,
        List<Earlier> earlier,
        List<AuditEntry> entries,
        byte[] signed,
        byte[] signature) {
    private static final int FRAME_BYTES = 1 << 20;

    /// A publication that was seen.
    public record Earlier(String object, String sha256) {}

    /// What it is going to say.
    record Draft(
            String trail,
            List<AuditEntry> entries,
            Instant published,
            Optional<byte[]> key,
            List<Earlier> earlier) {
        String object() {
            return Names.audit(trail, last());
        }

        long last() {
            return entries.isEmpty() ? 0 : entries.getLast().number();
        }

        private Json body() {
            Json body =
                    Json.object()
                            .put("object", object())
                            .put("first", entries.isEmpty() ? 0 : entries.getFirst().number())
                            .put("last", last())
                            .put(
                                    "head",
                                    entries.isEmpty() ? AuditEntry.NONE : entries.getLast().hash())
                            .put("published", published.toString());
            key.ifPresent(bytes -> body.put("key", HexFormat.of().formatHex(bytes)));
            return body.put(
                    "earlier",
                    earlier.stream()
                            .map(
                                    each ->
                                            Json.object()
                                                    .put("object", each.object)
                                                    .put("sha256", each.sha256))
                            .toList());
        }
    }

    /// Makes the object.
    static byte[] write(Vault vault, String repository, Draft draft, SigningKey key) {
        byte[] body = draft.body().toBytes();
        List<SealedObject.Part> parts = new ArrayList<>();
        parts.add(part(FrameKind.BODY, body));
        WireWriter frame = new WireWriter();
        for (AuditEntry entry : draft.entries) {
            frame.raw(entry.toBytes());
            if (frame.size() > FRAME_BYTES) {
                parts.add(part(FrameKind.DATA, frame.toBytes()));
                frame.clear();
            }
        }
        if (frame.size() > 0) {
            parts.add(part(FrameKind.DATA, frame.toBytes()));
        }
        Json end =
                Json.object()
                        .put(
                                "signature",
                                HexFormat.of().formatHex(key.sign(message(repository, body))));
        parts.add(part(FrameKind.BODY, end.toBytes()));
        try (FrameCoder coder = new FrameCoder(Vault.SMALL_LEVEL)) {
            return SealedObject.write(coder, vault.newSeal(ObjectType.RECORD), parts);
        }
    }

    private static SealedObject.Part part(FrameKind kind, byte[] payload) {
        return new SealedObject.Part(kind, new byte[0], payload);
    }

    /// What is signed.
    private static byte[] message(String repository, byte[] body) {
        return new WireWriter()
                .raw(("mainstay/1 audit " + repository + "\n").getBytes(StandardCharsets.US_ASCII))
                .raw(body)
                .toBytes();
    }

    /// Reads an object and demands that it agrees with itself; the signature is for who knows the
    /// key.
    ///
    /// @throws MainstayException OBJECT_DAMAGED, SEAL_BROKEN
    static AuditPublication read(Vault vault, String repository, String name, byte[] bytes) {
        try {
            return parsed(vault, repository, name, bytes);
        } catch (IllegalArgumentException | DateTimeException wrong) {
            throw new MainstayException(
                    ErrorCode.OBJECT_DAMAGED, "object " + name + " is malformed: " + wrong, wrong);
        }
    }

    private static AuditPublication parsed(
            Vault vault, String repository, String name, byte[] bytes) {
        List<SealedObject.Part> parts = vault.open(name, ObjectType.RECORD, bytes);
        if (parts.size() < 2) {
            throw new MainstayException(
                    ErrorCode.OBJECT_DAMAGED, "object " + name + " has no signature");
        }
        byte[] first = parts.getFirst().payload();
        Json body = Json.parse("object " + name, first);
        if (!body.string("object").equals(name)) {
            throw new MainstayException(
                    ErrorCode.SEAL_BROKEN, "object " + name + " was written under another name");
        }
        String trail = Names.trailOf(name);
        List<AuditEntry> entries = new ArrayList<>();
        for (SealedObject.Part part : parts.subList(1, parts.size() - 1)) {
            WireReader in = new WireReader("object " + name, part.payload());
            while (in.remaining() > 0) {
                entries.add(AuditEntry.read(trail, in));
            }
        }
        Json end = Json.parse("object " + name, parts.getLast().payload());
        return new AuditPublication(
                name,
                Bytes.sha256Hex(bytes),
                trail,
                body.number("last"),
                body.string("head"),
                Instant.parse(body.string("published")),
                body.find("key").map(HexFormat.of()::parseHex),
                body.objects("earlier").stream()
                        .map(each -> new Earlier(each.string("object"), each.string("sha256")))
                        .toList(),
                entries,
                message(repository, first),
                HexFormat.of().parseHex(end.string("signature")));
    }

    /// Whether the owner of this key signed it.
    boolean isSignedBy(byte[] publicKey) {
        return SigningKey.isSigned(publicKey, signed, signature);
    }

    Earlier asEarlier() {
        return new Earlier(object, sha256);
    }
}
