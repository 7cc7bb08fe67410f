package dev.mainstay.testkit;

import com.dynatrace.hash4j.hashing.HashValue128;
import com.dynatrace.hash4j.hashing.Hashing;
import com.github.luben.zstd.Zstd;

import org.bouncycastle.crypto.generators.Argon2BytesGenerator;
import org.bouncycastle.crypto.params.Argon2Parameters;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/// A second reader of repository format 1, written from `docs/format.md` alone, without a class of
/// the repository: one thread, everything in memory. It keeps the specification honest, and the
/// format readable should the first reader be lost. The numbers in comments are sections.
public final class NaiveReader {
    /// What a frame says (4).
    private record Frame(int kind, byte[] meta, byte[] payload) {}

    private record Ref(String pack, int number, int offset, int length) {}

    private final Map<String, byte[]> objects;
    private final Map<Long, byte[]> rootKeys = new HashMap<>();
    private final Map<String, byte[]> sourceKeys = new HashMap<>();
    private final Map<String, String> sourceIds = new TreeMap<>();
    private final boolean encrypted;

    private NaiveReader(Map<String, byte[]> objects, Optional<String> secret) {
        this.objects = objects;
        NaiveJson format = json("format", 1);
        encrypted = !format.text("encryption").equals("none");
        if (encrypted) {
            String id = format.text("repository");
            names("keys/root/").forEach(name -> unwrap(name, id, secret.orElseThrow()));
        }
        for (String name : names("keys/source/")) {
            String[] words = name.split("/", -1);
            NaiveJson key = json(name, 3);
            require(key.text("source").equals(words[2]), name + " is another source's");
            sourceKeys.put(words[2] + "/" + Long.parseLong(words[3], 16), hex(key.text("key")));
            sourceIds.put(key.text("name"), words[2]);
        }
    }

    /// Reads all files below a directory.
    ///
    /// @param secret the line of a key file, or a passphrase; empty without encryption
    public static NaiveReader open(Path directory, Optional<String> secret) throws IOException {
        Map<String, byte[]> objects = new TreeMap<>();
        try (Stream<Path> files = Files.walk(directory)) {
            files.filter(Files::isRegularFile)
                    .forEach(
                            file -> {
                                try {
                                    objects.put(
                                            directory.relativize(file).toString(),
                                            Files.readAllBytes(file));
                                } catch (IOException failed) {
                                    throw new UncheckedIOException(failed);
                                }
                            });
        }
        return new NaiveReader(objects, secret);
    }

    private static void require(boolean condition, String otherwise) {
        if (!condition) {
            throw new IllegalStateException(otherwise);
        }
    }

    private static byte[] hex(String text) {
        return HexFormat.of().parseHex(text);
    }

    private List<String> names(String prefix) {
        return objects.keySet().stream().filter(name -> name.startsWith(prefix)).toList();
    }

    private byte[] object(String name) {
        byte[] bytes = objects.get(name);
        require(bytes != null, name + " is missing");
        return java.util.Objects.requireNonNull(bytes);
    }

    // 5: keys

    private void unwrap(String name, String repository, String secret) {
        long epoch = Long.parseLong(name.split("/", -1)[2], 16);
        NaiveJson body = json(name, 2);
        byte[] salt = hex(body.text("salt"));
        byte[] key;
        if (body.text("recipient").equals("key-file") && secret.startsWith("mainstay-key-1 ")) {
            key = hkdf(hex(secret.split(" ", -1)[1]), salt, "mainstay/1 key file", 32);
        } else if (body.text("recipient").equals("passphrase")) {
            key = argon2(secret, salt, body);
        } else {
            return;
        }
        byte[] binding =
                ("mainstay/1 root " + repository + " " + epoch).getBytes(StandardCharsets.UTF_8);
        byte[] wrapped = hex(body.text("wrapped"));
        rootKeys.put(epoch, open(key, hex(body.text("nonce")), binding, wrapped));
    }

    private static byte[] argon2(String secret, byte[] salt, NaiveJson body) {
        Argon2BytesGenerator generator = new Argon2BytesGenerator();
        generator.init(
                new Argon2Parameters.Builder(Argon2Parameters.ARGON2_id)
                        .withVersion(0x13)
                        .withSalt(salt)
                        .withMemoryAsKB((int) body.number("memory-kib"))
                        .withIterations((int) body.number("passes"))
                        .withParallelism((int) body.number("lanes"))
                        .build());
        byte[] key = new byte[32];
        generator.generateBytes(secret.getBytes(StandardCharsets.UTF_8), key);
        return key;
    }

    private static byte[] hmac(byte[] key, byte[]... parts) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            for (byte[] part : parts) {
                mac.update(part);
            }
            return mac.doFinal();
        } catch (GeneralSecurityException everyJdkHasIt) {
            throw new AssertionError(everyJdkHasIt);
        }
    }

    /// RFC 5869.
    private static byte[] hkdf(byte[] input, byte[] salt, String info, int length) {
        byte[] extracted = hmac(salt, input);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        byte[] last = new byte[0];
        for (int i = 1; out.size() < length; i++) {
            last =
                    hmac(
                            extracted,
                            last,
                            info.getBytes(StandardCharsets.US_ASCII),
                            new byte[] {(byte) i});
            out.writeBytes(last);
        }
        return Arrays.copyOf(out.toByteArray(), length);
    }

    private static byte[] open(byte[] key, byte[] nonce, byte[] associated, byte[] sealed) {
        try {
            Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
            cipher.init(
                    Cipher.DECRYPT_MODE,
                    new SecretKeySpec(key, "AES"),
                    new GCMParameterSpec(128, nonce));
            cipher.updateAAD(associated);
            return cipher.doFinal(sealed);
        } catch (GeneralSecurityException wrong) {
            throw new IllegalStateException("a seal is broken", wrong);
        }
    }

    private static byte[] xxh3(byte[] bytes) {
        HashValue128 value = Hashing.xxh3_128().hashBytesTo128Bits(bytes, 0, bytes.length);
        return ByteBuffer.allocate(16)
                .putLong(value.getMostSignificantBits())
                .putLong(value.getLeastSignificantBits())
                .array();
    }

    private static byte[] sha256(byte[]... parts) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (byte[] part : parts) {
                digest.update(part);
            }
            return digest.digest();
        } catch (GeneralSecurityException everyJdkHasIt) {
            throw new AssertionError(everyJdkHasIt);
        }
    }

    // 3: headers; the object's key, or nothing if it is not sealed

    private Optional<byte[]> header(String name, int type, byte[] bytes) {
        byte[] magic = hex("4d4e535441590d0a");
        require(Arrays.equals(magic, Arrays.copyOf(bytes, 8)), name + " is no object");
        require(bytes[8] == 1, name + " has another version");
        require(bytes[9] == type, name + " has another type");
        byte[] salt = Arrays.copyOfRange(bytes, 32, 64);
        byte[] commitment = Arrays.copyOfRange(bytes, 64, 96);
        if (bytes[10] == 0) {
            require(!encrypted || type <= 2, name + " is not sealed");
            byte[] expected = sha256(Arrays.copyOf(bytes, 64));
            require(Arrays.equals(expected, commitment), name + " has a damaged header");
            return Optional.empty();
        }
        long epoch = ByteBuffer.wrap(bytes).getInt(12);
        String source = HexFormat.of().formatHex(bytes, 16, 32);
        byte[] scopeKey =
                bytes[11] == 1 ? rootKeys.get(epoch) : sourceKeys.get(source + "/" + epoch);
        require(scopeKey != null, name + ": no key");
        byte[] key =
                hkdf(
                        java.util.Objects.requireNonNull(scopeKey),
                        salt,
                        "mainstay/1 object " + type,
                        64);
        require(Arrays.equals(commitment, Arrays.copyOfRange(key, 32, 64)), name + ": wrong key");
        return Optional.of(Arrays.copyOf(key, 32));
    }

    // 4: frames

    private static Frame frame(
            byte[] bytes, Optional<byte[]> key, int number, int offset, int length) {
        ByteBuffer associated = ByteBuffer.allocate(116);
        associated.put(bytes, 0, 96).putLong(number).putLong(offset).putInt(length - 4);
        require(ByteBuffer.wrap(bytes).getInt(offset) == length - 4, "impossible frame");
        byte[] body = Arrays.copyOfRange(bytes, offset + 4, offset + length);
        byte[] plain;
        if (key.isPresent()) {
            byte[] nonce = ByteBuffer.allocate(12).putInt(8, number).array();
            plain = open(key.get(), nonce, associated.array(), body);
        } else {
            plain = Arrays.copyOf(body, body.length - 16);
            byte[] tag = Arrays.copyOf(sha256(associated.array(), plain), 16);
            require(
                    Arrays.equals(tag, Arrays.copyOfRange(body, plain.length, body.length)),
                    "a frame is damaged");
        }
        Wire in = new Wire(plain);
        int kind = in.u8();
        int codec = in.u8();
        byte[] meta = in.bytes();
        int payload = in.count();
        byte[] rest = in.raw(in.left());
        byte[] content = codec == 0 ? rest : Zstd.decompress(rest, payload);
        require(content.length == payload, "a payload has another length");
        return new Frame(kind, meta, content);
    }

    private List<Frame> frames(String name, int type) {
        byte[] bytes = object(name);
        Optional<byte[]> key = header(name, type, bytes);
        int end = bytes.length - 32;
        require(
                Arrays.equals(
                        sha256(Arrays.copyOf(bytes, end)),
                        Arrays.copyOfRange(bytes, end, bytes.length)),
                name + " does not match its hash");
        List<Frame> frames = new ArrayList<>();
        for (int at = 96; at < end; ) {
            int length = 4 + ByteBuffer.wrap(bytes).getInt(at);
            frames.add(frame(bytes, key, frames.size(), at, length));
            at += length;
        }
        return frames;
    }

    private NaiveJson json(String name, int type) {
        return NaiveJson.parse(frames(name, type).getFirst().payload);
    }

    // 6: packs

    private Frame frame(Ref ref, int kind) {
        byte[] bytes = object(ref.pack);
        String hash = HexFormat.of().formatHex(sha256(bytes));
        require(ref.pack.endsWith("/" + hash), ref.pack + " is not what it is named after");
        Optional<byte[]> key = header(ref.pack, 4, bytes);
        Frame frame = frame(bytes, key, ref.number, ref.offset, ref.length);
        require(frame.kind == kind, "frame of kind " + frame.kind + " instead of " + kind);
        return frame;
    }

    private static final List<String> CLASSES =
            List.of("", "base", "incremental", "files", "metadata", "fingerprints");

    private static String pack(String packClass, String hash) {
        return "packs/" + packClass + "/" + hash.substring(0, 2) + "/" + hash;
    }

    private static Ref ref(Wire in) {
        String packClass = CLASSES.get(in.u8());
        String hash = HexFormat.of().formatHex(in.raw(32));
        return new Ref(pack(packClass, hash), in.count(), in.count(), in.count());
    }

    private static Ref ref(NaiveJson json) {
        return new Ref(
                pack(json.text("class"), json.text("pack")),
                (int) json.number("number"),
                (int) json.number("offset"),
                (int) json.number("length"));
    }

    // 9: backups

    /// Ids of a source's backups, oldest first.
    public List<String> backups(String source) {
        List<NaiveJson> commits = new ArrayList<>();
        for (String name : names("slots/" + sourceIds.get(source) + "/")) {
            NaiveJson slot = json(name, 5);
            require(slot.text("object").equals(name), name + " was written under another name");
            if (slot.text("type").equals("commit")) {
                commits.add(slot);
            }
        }
        commits.sort(Comparator.comparingLong(commit -> commit.number("sequence")));
        return commits.stream().map(commit -> commit.text("backup")).toList();
    }

    /// The files of a backup by path; directories and links are left out.
    public Map<String, byte[]> restore(String source, String backup) {
        NaiveJson slot = json("slots/" + sourceIds.get(source) + "/" + backup, 5);
        byte[] chunkKey = hashKey(source, "mainstay/1 chunk");
        Map<String, byte[]> files = new TreeMap<>();
        for (NaiveJson manifest : slot.objects("manifest")) {
            Wire in = new Wire(frame(ref(manifest), 5).payload);
            while (in.left() > 0) {
                entry(in, chunkKey, files);
            }
        }
        return files;
    }

    private byte[] hashKey(String source, String info) {
        String id = java.util.Objects.requireNonNull(sourceIds.get(source));
        byte[] first = java.util.Objects.requireNonNull(sourceKeys.get(id + "/1"));
        return hkdf(first, hex(id), info, 32);
    }

    // 8: manifest entries

    private void entry(Wire in, byte[] chunkKey, Map<String, byte[]> files) {
        String path = new String(in.bytes(), StandardCharsets.UTF_8);
        in.count(); // mode
        in.bytes(); // owner
        in.bytes(); // group
        in.raw(8); // modification time
        long size = in.varint();
        int crc = ByteBuffer.wrap(in.raw(4)).getInt();
        int kind = in.u8();
        byte[] content;
        if (kind == 0) {
            return;
        } else if (kind == 1) {
            in.bytes();
            return;
        } else if (kind == 2 || kind == 3) {
            Ref maps = ref(in);
            content = relation(maps, in.count());
            if (kind == 3) {
                ref(in);
                in.count();
            }
        } else {
            if (kind == 4) {
                ByteArrayOutputStream all = new ByteArrayOutputStream();
                for (int n = in.count(); n > 0; n--) {
                    all.writeBytes(chunk(in, chunkKey));
                }
                content = all.toByteArray();
            } else {
                require(kind == 5, "manifest entry of kind " + kind);
                content = listed(in, chunkKey);
            }
        }
        CRC32C actual = new CRC32C();
        actual.update(content);
        require(content.length == size && (int) actual.getValue() == crc, path + " is damaged");
        files.put(path, content);
    }

    private byte[] listed(Wire in, byte[] chunkKey) {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        for (int n = in.count(); n > 0; n--) {
            Wire list = new Wire(frame(ref(in), 10).payload);
            while (list.left() > 0) {
                content.writeBytes(chunk(list, chunkKey));
            }
        }
        return content.toByteArray();
    }

    private byte[] chunk(Wire in, byte[] chunkKey) {
        byte[] id = in.raw(32);
        int length = in.count();
        Frame chunk = frame(ref(in), 2);
        require(
                chunk.payload.length == length
                        && Arrays.equals(id, chunk.meta)
                        && Arrays.equals(id, hmac(chunkKey, chunk.payload)),
                "a chunk is another one");
        return chunk.payload;
    }

    // 7: segment maps

    private byte[] relation(Ref maps, int number) {
        Wire all = new Wire(frame(maps, 3).payload);
        byte[] bytes = all.bytes();
        for (int i = 0; i < number; i++) {
            bytes = all.bytes();
        }
        Wire in = new Wire(bytes);
        int block = in.count();
        int pages = in.count();
        List<String> packs = new ArrayList<>();
        for (int n = in.count(); n > 0; n--) {
            String packClass = CLASSES.get(in.u8());
            packs.add(pack(packClass, HexFormat.of().formatHex(in.raw(32))));
        }
        List<Map<Integer, byte[]>> frames = new ArrayList<>();
        for (int n = in.count(); n > 0; n--) {
            Ref ref = new Ref(packs.get(in.count()), in.count(), in.count(), in.count());
            int held = in.count();
            in.raw(16); // XXH3-128; the seal and the CRC of the file say enough here
            frames.add(pages(frame(ref, 1), block));
            require(frames.getLast().size() == held, "a frame holds another number of pages");
        }
        byte[] content = new byte[pages * block];
        for (int page = 0; page < pages; ) {
            Map<Integer, byte[]> frame = frames.get(in.count());
            for (int run = in.count(); run > 0; run--, page++) {
                byte[] found = java.util.Objects.requireNonNull(frame.get(page), "no such page");
                System.arraycopy(found, 0, content, page * block, block);
            }
        }
        require(in.left() == 0, "something follows a map");
        return content;
    }

    private static Map<Integer, byte[]> pages(Frame frame, int block) {
        Wire in = new Wire(frame.meta);
        in.bytes(); // path
        require(in.count() == block, "pages of another size");
        int count = in.count();
        Map<Integer, byte[]> pages = new HashMap<>();
        int next = 0;
        for (int i = 0; i < count; i++) {
            int number = next + in.count();
            pages.put(number, Arrays.copyOfRange(frame.payload, i * block, (i + 1) * block));
            next = number + 1;
        }
        return pages;
    }

    // 11: WAL

    /// A WAL segment of a cluster.
    public byte[] segment(String system, String timeline, String file) {
        String name = "wal/" + system + "/" + timeline + "/" + file;
        List<Frame> frames = frames(name, 11);
        NaiveJson facts = NaiveJson.parse(frames.getFirst().payload);
        NaiveJson end = NaiveJson.parse(frames.getLast().payload);
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        ByteArrayOutputStream digests = new ByteArrayOutputStream();
        for (Frame frame : frames.subList(1, frames.size() - 1)) {
            content.writeBytes(frame.payload);
            digests.writeBytes(xxh3(frame.payload));
        }
        byte[] bytes = content.toByteArray();
        require(
                facts.text("name").equals(file)
                        && facts.text("system").equals(system)
                        && facts.number("length") == bytes.length
                        && Arrays.equals(hex(end.text("digest")), xxh3(digests.toByteArray())),
                name + " does not hold what it says");
        return bytes;
    }

    /// Records that summaries of a source's WAL name and that are not there, nor removed on record.
    public List<String> vanished(String source) {
        String id = java.util.Objects.requireNonNull(sourceIds.get(source));
        Set<String> there = new HashSet<>();
        for (String prefix : List.of("slots/" + id + "/", "records/" + id + "/")) {
            for (String name : names(prefix)) {
                there.add(HexFormat.of().formatHex(sha256(object(name))));
                NaiveJson record = json(name, prefix.startsWith("slots/") ? 5 : 6);
                if (record.text("type").equals("expiry")) {
                    record.object("body")
                            .objects("removed")
                            .forEach(gone -> there.add(gone.text("sha256")));
                }
            }
        }
        Set<String> vanished = new TreeSet<>();
        for (String name : names("summaries/")) {
            for (NaiveJson head : json(name, 14).objects("heads")) {
                if (head.text("object").contains(id) && !there.contains(head.text("sha256"))) {
                    vanished.add(head.text("object"));
                }
            }
        }
        return List.copyOf(vanished);
    }

    /// 2: primitive types.
    private static final class Wire {
        private final ByteBuffer in;

        Wire(byte[] bytes) {
            in = ByteBuffer.wrap(bytes);
        }

        int left() {
            return in.remaining();
        }

        int u8() {
            return in.get() & 0xFF;
        }

        long varint() {
            long value = 0;
            for (int shift = 0; ; shift += 7) {
                int next = u8();
                value |= (long) (next & 0x7F) << shift;
                if (next < 0x80) {
                    return value;
                }
            }
        }

        int count() {
            return Math.toIntExact(varint());
        }

        byte[] raw(int length) {
            byte[] bytes = new byte[length];
            in.get(bytes);
            return bytes;
        }

        byte[] bytes() {
            return raw(count());
        }
    }
}
