package dev.mainstay.postgres.cluster;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.postgres.cluster.BackupManifest.WalRange;

import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Reads the manifest that a server sends with a base backup (format: see [BackupManifest]), file
/// by file, and proves the checksum that it carries of itself. Nothing is kept, however many files
/// it names. For one thread.
public final class BackupManifestReader {
    private static final int LONGEST_LINE = 1 << 20;
    private static final int NEWEST_FORMAT = 2;

    /// Receives each file.
    public interface Files {
        /// @param path below the data directory, as [BackupManifest#add] has it
        void file(String path, long sizeBytes, int crc32c);
    }

    /// What a manifest says besides files.
    ///
    /// @param systemId from format 2 on
    public record Summary(Optional<SystemId> systemId, List<WalRange> ranges) {}

    private final Files files;
    private Optional<SystemId> systemId = Optional.empty();
    private final List<WalRange> ranges = new ArrayList<>();
    private Optional<String> checksum = Optional.empty();
    private long format;

    private BackupManifestReader(Files files) {
        this.files = files;
    }

    /// @throws MainstayException SERVER_PROTOCOL if the manifest is none, is incomplete, or its own
    ///   checksum is wrong; and what `files` throws
    public static Summary read(InputStream manifest, Files files) {
        BackupManifestReader reader = new BackupManifestReader(files);
        Digested in = new Digested(manifest);
        try (JsonParser json = new JsonFactory().createParser(ObjectReadContext.empty(), in)) {
            reader.read(json);
            in.transferTo(java.io.OutputStream.nullOutputStream());
        } catch (JacksonException | IOException | IllegalArgumentException failed) {
            throw refused(failed.getMessage() == null ? failed.toString() : failed.getMessage());
        }
        String found = in.digest();
        if (!reader.checksum.equals(Optional.of(found))) {
            throw refused("its own checksum is wrong");
        }
        return new Summary(reader.systemId, List.copyOf(reader.ranges));
    }

    private static MainstayException refused(String why) {
        return new MainstayException(
                ErrorCode.SERVER_PROTOCOL,
                "the manifest of the base backup cannot be trusted: " + why,
                "take the backup again; if it happens again, the line to the server or its memory"
                        + " is failing",
                null);
    }

    private void read(JsonParser json) {
        expect(json.nextToken(), JsonToken.START_OBJECT);
        while (json.nextToken() == JsonToken.PROPERTY_NAME) {
            String name = json.currentName();
            JsonToken value = json.nextToken();
            switch (name) {
                case "PostgreSQL-Backup-Manifest-Version" -> format = json.getLongValue();
                case "System-Identifier" ->
                        systemId = Optional.of(SystemId.parse(json.getString()));
                case "Files" -> {
                    expect(value, JsonToken.START_ARRAY);
                    while (json.nextToken() == JsonToken.START_OBJECT) {
                        file(fields(json));
                    }
                    expect(json.currentToken(), JsonToken.END_ARRAY);
                }
                case "WAL-Ranges" -> {
                    expect(value, JsonToken.START_ARRAY);
                    while (json.nextToken() == JsonToken.START_OBJECT) {
                        range(fields(json));
                    }
                    expect(json.currentToken(), JsonToken.END_ARRAY);
                }
                case "Manifest-Checksum" -> checksum = Optional.of(json.getString());
                default -> throw new IllegalArgumentException("it has a field '" + name + "'");
            }
        }
        expect(json.currentToken(), JsonToken.END_OBJECT);
        if (json.nextToken() != null) {
            throw new IllegalArgumentException("something follows its end");
        }
        if (format < 1 || format > NEWEST_FORMAT || ranges.isEmpty()) {
            throw new IllegalArgumentException("it is of format " + format);
        }
    }

    private static void expect(
            @org.jspecify.annotations.Nullable JsonToken found, JsonToken wanted) {
        if (found != wanted) {
            throw new IllegalArgumentException("it is incomplete");
        }
    }

    private static Map<String, String> fields(JsonParser json) {
        Map<String, String> fields = new HashMap<>();
        while (json.nextToken() == JsonToken.PROPERTY_NAME) {
            String name = json.currentName();
            json.nextToken();
            fields.put(name, json.getString());
        }
        expect(json.currentToken(), JsonToken.END_OBJECT);
        return fields;
    }

    private void file(Map<String, String> fields) {
        if (!"CRC32C".equals(fields.get("Checksum-Algorithm"))) {
            throw new IllegalArgumentException("a file has no CRC32C checksum");
        }
        files.file(
                path(fields),
                Long.parseLong(field(fields, "Size")),
                Integer.reverseBytes(
                        HexFormat.fromHexDigits(field(fields, "Checksum")))); // as in memory
    }

    private static String path(Map<String, String> fields) {
        String encoded = fields.get("Encoded-Path");
        if (encoded == null) {
            return field(fields, "Path");
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(HexFormat.of().parseHex(encoded)))
                    .toString();
        } catch (CharacterCodingException noUtf8) {
            throw new IllegalArgumentException("a path is no UTF-8: " + encoded, noUtf8);
        }
    }

    private static String field(Map<String, String> fields, String name) {
        String value = fields.get(name);
        if (value == null) {
            throw new IllegalArgumentException("an entry has no " + name);
        }
        return value;
    }

    private void range(Map<String, String> fields) {
        ranges.add(
                new WalRange(
                        TimelineId.of(Integer.parseUnsignedInt(field(fields, "Timeline"))),
                        Lsn.parse(field(fields, "Start-LSN")),
                        Lsn.parse(field(fields, "End-LSN"))));
    }

    /// Digests all lines but the last.
    private static final class Digested extends FilterInputStream {
        private final MessageDigest digest;
        private final ByteArrayOutputStream line = new ByteArrayOutputStream();

        Digested(InputStream in) {
            super(in);
            try {
                digest = MessageDigest.getInstance("SHA-256");
            } catch (NoSuchAlgorithmException everyJdkHasIt) {
                throw new AssertionError(everyJdkHasIt);
            }
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            int got = super.read(into, offset, length);
            if (got > 0) {
                add(into, offset, got);
            }
            return got;
        }

        /// A line is digested once something follows it.
        private void add(byte[] bytes, int offset, int length) {
            if (line.size() > LONGEST_LINE) {
                throw new IllegalArgumentException("a line of it does not end");
            }
            int begun = offset;
            if (line.size() > 0 && isEnded()) {
                flush();
            }
            for (int at = offset; at < offset + length - 1; at++) {
                if (bytes[at] == '\n') {
                    line.write(bytes, begun, at + 1 - begun);
                    flush();
                    begun = at + 1;
                }
            }
            line.write(bytes, begun, offset + length - begun);
        }

        private boolean isEnded() {
            byte[] held = line.toByteArray();
            return held[held.length - 1] == '\n';
        }

        private void flush() {
            digest.update(line.toByteArray());
            line.reset();
        }

        String digest() {
            return HexFormat.of().formatHex(digest.digest());
        }

        @Override
        public long skip(long bytes) throws IOException {
            throw new IOException("nothing is passed over");
        }

        @Override
        public boolean markSupported() {
            return false;
        }
    }
}
