package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SourceId;
import dev.mainstay.base.SystemId;
import dev.mainstay.repository.crypto.WrappedKey;
import dev.mainstay.repository.format.Bytes;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ObjectHeader;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.repository.format.PackId;
import dev.mainstay.repository.format.SealedObject;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Tells whether bytes are the object that a name promises, wherever they come from: by this
/// repository's keys, and by what the object says of itself.
final class ObjectJudge {
    private final Repository repository;
    private final Map<SourceId, ProtectedSource> known;

    /// @param known the sources whose keys are at hand
    ObjectJudge(Repository repository, Map<SourceId, ProtectedSource> known) {
        this.repository = repository;
        this.known = known;
    }

    /// @throws MainstayException what is wrong with it, or KEY_MISSING where nobody can tell
    void judge(String name, byte[] bytes) {
        try {
            judge(name, name.split("/", -1), bytes);
        } catch (IllegalArgumentException | IndexOutOfBoundsException impossible) {
            throw new MainstayException(
                    ErrorCode.OBJECT_DAMAGED,
                    "the content of object " + name + " is impossible",
                    impossible);
        }
    }

    private void judge(String name, String[] words, byte[] bytes) {
        switch (words[0]) {
            case "packs" -> pack(name, bytes);
            case "format" -> format(name, bytes);
            case "keys" -> key(name, words, bytes);
            case "slots" ->
                    RecordChain.event(source(name, words).vault(), name, ObjectType.SLOT, bytes);
            case "records" ->
                    RecordChain.event(source(name, words).vault(), name, ObjectType.RECORD, bytes);
            case "index" -> ChunkIndex.entries(source(name, words).vault(), name, bytes, _ -> {});
            case "wal", "parts", "summaries" -> {
                List<NewestRecords.Head> _ = ofAnyCluster(name, bytes);
            }
            case "moved" -> open(name, ObjectType.MOVED, bytes).objects("frames");
            case "intents" -> own(name, ObjectType.INTENT, bytes);
            case "progress", "scrub" -> own(name, ObjectType.PROGRESS, bytes);
            case "audit" ->
                    AuditPublication.read(repository.rootVault(), repository.id(), name, bytes);
            case "gc" -> open(name, ObjectType.CANDIDATES, bytes).strings("packs");
            default ->
                    throw new MainstayException(
                            ErrorCode.OBJECT_DAMAGED, name + " is no object of this format");
        }
    }

    private static void pack(String name, byte[] bytes) {
        PackId id = PackId.parse(name.substring(name.lastIndexOf('/') + 1));
        if (!Arrays.equals(Bytes.sha256(bytes, 0, bytes.length), id.sha256())) {
            throw new MainstayException(
                    ErrorCode.OBJECT_DAMAGED,
                    "pack " + name + " does not have the hash it is named after");
        }
    }

    private void format(String name, byte[] bytes) {
        Json body = repository.plainVault().openJson(name, ObjectType.FORMAT, bytes);
        if (!body.string("repository").equals(repository.id())) {
            throw new MainstayException(
                    ErrorCode.REPOSITORY_FOREIGN, name + " is that of another repository");
        }
    }

    private ProtectedSource source(String name, String[] words) {
        ProtectedSource source = known.get(SourceId.parse(words[1]));
        if (source == null) {
            throw new MainstayException(
                    ErrorCode.KEY_MISSING, "object " + name + " belongs to an unknown source");
        }
        return source;
    }

    private void key(String name, String[] words, byte[] bytes) {
        switch (words[1]) {
            case "root" -> rootKey(name, words, bytes);
            case "epoch" -> epoch(name, bytes);
            case "shredded" ->
                    ShreddedSource.read(
                            name,
                            repository.rootVault().openJson(name, ObjectType.SOURCE_KEY, bytes));
            default -> sourceKey(name, words, bytes);
        }
    }

    private void rootKey(String name, String[] words, byte[] bytes) {
        Json body = repository.plainVault().openJson(name, ObjectType.ROOT_KEY, bytes);
        WrappedKey.demandWellFormed(body);
        if (!WrappedKey.recipientId(body).equals(words[3])) {
            throw new MainstayException(
                    ErrorCode.KEY_OBJECT_DAMAGED, "object " + name + " is another recipient's");
        }
        Optional<byte[]> key = Names.epochOf(name).flatMap(repository.rootKeys()::key);
        if (body.has("proof") && key.filter(root -> !WrappedKey.isProven(body, root)).isPresent()) {
            throw new MainstayException(
                    ErrorCode.KEY_OBJECT_DAMAGED,
                    "object " + name + " was not written by who has the root key, or was changed");
        }
    }

    /// Whether an epoch's object vouches for the key that is used.
    private void epoch(String name, byte[] bytes) {
        long epoch = open(name, ObjectType.ROOT_KEY, bytes).number("epoch");
        if (epoch != Names.epochOf(name).orElse(0)) {
            throw new MainstayException(
                    ErrorCode.KEY_OBJECT_DAMAGED, "object " + name + " is another epoch's");
        }
    }

    private void sourceKey(String name, String[] words, byte[] bytes) {
        Json body = open(name, ObjectType.SOURCE_KEY, bytes);
        if (!body.string("source").equals(words[2])
                || body.number("epoch") != Names.epochOf(name).orElse(0)) {
            throw new MainstayException(
                    ErrorCode.KEY_OBJECT_DAMAGED, "object " + name + " belongs to another source");
        }
    }

    private Json open(String name, ObjectType type, byte[] bytes) {
        ObjectHeader header = ObjectHeader.read(name, type, bytes);
        SealedObject.check(name, bytes);
        Optional<Vault> vault = RepositoryCheck.vaultOf(repository, known, header);
        if (vault.isEmpty()) {
            throw new MainstayException(
                    ErrorCode.KEY_MISSING, "object " + name + " belongs to an unknown source");
        }
        return vault.get().openJson(name, type, bytes);
    }

    private void own(String name, ObjectType type, byte[] bytes) {
        if (!open(name, type, bytes).string("object").equals(name)) {
            throw new MainstayException(
                    ErrorCode.SEAL_BROKEN, "object " + name + " was written under another name");
        }
    }

    /// An object of a WAL archive. The header says whose it is; without encryption the digest does.
    ///
    /// @return the records that it names, which must all be there
    List<NewestRecords.Head> ofAnyCluster(String name, byte[] bytes) {
        SealedObject.check(name, bytes);
        SystemId system = SystemId.parse(name.split("/", -1)[1]);
        MainstayException last =
                new MainstayException(
                        ErrorCode.KEY_MISSING, "object " + name + " belongs to no known source");
        for (ProtectedSource source : known.values()) {
            try {
                return source.wal(system, Vault.SMALL_LEVEL).check(name, bytes);
            } catch (MainstayException notIts) {
                last = notIts;
            }
        }
        throw last;
    }
}
