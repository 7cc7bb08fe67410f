package dev.mainstay.postgres.cluster;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.postgres.cluster.CatalogEntry.Collation;
import dev.mainstay.postgres.cluster.CatalogEntry.Database;
import dev.mainstay.postgres.cluster.CatalogEntry.Extension;
import dev.mainstay.postgres.cluster.CatalogEntry.Relation;
import dev.mainstay.postgres.cluster.CatalogEntry.Server;
import dev.mainstay.postgres.cluster.CatalogEntry.Tablespace;

import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;

/// A [CatalogEntry] as a line of JSON (RFC 8259) in UTF-8, as repositories keep catalog snapshots:
/// an object whose `type` is `server`, `database`, `relation`, `extension` or `collation`. What is
/// absent has no field.
///
/// Readers pass over fields and types they do not know, so both may be added; none may be removed
/// or change its meaning, for old snapshots have to stay readable.
public final class CatalogLine {
    private static final JsonFactory FACTORY = new JsonFactory();

    private CatalogLine() {}

    /// The line with the line feed that ends it; no other is in it.
    public static byte[] write(CatalogEntry entry) {
        ByteArrayOutputStream line = new ByteArrayOutputStream(256);
        try (JsonGenerator out = FACTORY.createGenerator(ObjectWriteContext.empty(), line)) {
            out.writeStartObject();
            switch (entry) {
                case Server server -> write(out, server);
                case Database database -> write(out, database);
                case Relation relation -> write(out, relation);
                case Extension extension -> write(out, extension);
                case Collation collation -> write(out, collation);
            }
            out.writeEndObject();
        }
        line.write('\n');
        return line.toByteArray();
    }

    /// Reads one line, with or without the line feed.
    ///
    /// @return empty for an entry of a type that this version does not know
    /// @throws MainstayException OBJECT_DAMAGED
    public static Optional<CatalogEntry> parse(String line) {
        return parse(line.getBytes(StandardCharsets.UTF_8));
    }

    /// @throws MainstayException OBJECT_DAMAGED
    public static Optional<CatalogEntry> parse(byte[] line) {
        return parse(line, 0, line.length);
    }

    /// Reads whole lines, one after the other, passing over entries of unknown types.
    ///
    /// @throws MainstayException OBJECT_DAMAGED, after delivery of the lines before
    public static void parseAll(byte[] lines, Consumer<? super CatalogEntry> consumer) {
        int begin = 0;
        for (int at = 0; at < lines.length; at++) {
            if (lines[at] == '\n') {
                parse(lines, begin, at - begin).ifPresent(consumer);
                begin = at + 1;
            }
        }
        if (begin < lines.length) {
            parse(lines, begin, lines.length - begin).ifPresent(consumer);
        }
    }

    private static Optional<CatalogEntry> parse(byte[] bytes, int offset, int length) {
        try (JsonParser in =
                FACTORY.createParser(ObjectReadContext.empty(), bytes, offset, length)) {
            if (in.nextToken() != JsonToken.START_OBJECT) {
                throw CatalogFields.damaged("no object");
            }
            CatalogFields fields = CatalogFields.read(in);
            if (in.nextToken() != null) {
                throw CatalogFields.damaged("more than one object");
            }
            return entry(fields);
        } catch (JacksonException malformed) {
            throw new MainstayException(
                    ErrorCode.OBJECT_DAMAGED,
                    "a line of a catalog snapshot is malformed: " + malformed.getOriginalMessage(),
                    malformed);
        }
    }

    private static Optional<CatalogEntry> entry(CatalogFields fields) {
        return switch (fields.text("type")) {
            case "server" -> Optional.of(server(fields));
            case "database" -> Optional.of(database(fields));
            case "relation" -> Optional.of(relation(fields));
            case "extension" -> Optional.of(extension(fields));
            case "collation" -> Optional.of(collation(fields));
            default -> Optional.empty();
        };
    }

    private static void write(JsonGenerator out, Server server) {
        out.writeStringProperty("type", "server");
        out.writeStringProperty("version", server.version());
        out.writeNumberProperty("versionNum", server.versionNum());
        out.writeNumberProperty("blockSize", server.blockSizeBytes());
        out.writeNumberProperty("roles", server.roles());
        out.writeArrayPropertyStart("tablespaces");
        for (Tablespace tablespace : server.tablespaces()) {
            out.writeStartObject();
            out.writeNumberProperty("oid", tablespace.oid());
            out.writeStringProperty("name", tablespace.name());
            out.writeEndObject();
        }
        out.writeEndArray();
    }

    private static Server server(CatalogFields fields) {
        List<Tablespace> tablespaces = new ArrayList<>();
        for (CatalogFields tablespace : fields.objects("tablespaces")) {
            tablespaces.add(new Tablespace(tablespace.number("oid"), tablespace.text("name")));
        }
        return new Server(
                fields.text("version"),
                fields.integer("versionNum"),
                fields.integer("blockSize"),
                fields.integer("roles"),
                tablespaces);
    }

    private static void write(JsonGenerator out, Database database) {
        out.writeStringProperty("type", "database");
        out.writeNumberProperty("oid", database.oid());
        out.writeStringProperty("name", database.name());
        out.writeNumberProperty("tablespace", database.tablespaceOid());
        out.writeStringProperty("encoding", database.encoding());
        out.writeStringProperty("collate", database.collate());
        out.writeStringProperty("ctype", database.ctype());
        out.writeStringProperty("provider", String.valueOf(database.provider()));
        write(out, "locale", database.locale());
        write(out, "collationVersion", database.collationVersion());
        write(out, "actualCollationVersion", database.actualCollationVersion());
        write(out, "unread", database.unread());
    }

    private static Database database(CatalogFields fields) {
        return new Database(
                fields.number("oid"),
                fields.text("name"),
                fields.number("tablespace"),
                fields.text("encoding"),
                fields.text("collate"),
                fields.text("ctype"),
                fields.letter("provider"),
                fields.find("locale"),
                fields.find("collationVersion"),
                fields.find("actualCollationVersion"),
                fields.find("unread"));
    }

    private static void write(JsonGenerator out, Relation relation) {
        out.writeStringProperty("type", "relation");
        out.writeNumberProperty("database", relation.databaseOid());
        out.writeNumberProperty("oid", relation.oid());
        out.writeNumberProperty("relfilenode", relation.relfilenode());
        out.writeNumberProperty("tablespace", relation.tablespaceOid());
        out.writeStringProperty("schema", relation.schema());
        out.writeStringProperty("name", relation.name());
        out.writeStringProperty("kind", String.valueOf(relation.kind()));
        out.writeStringProperty("persistence", String.valueOf(relation.persistence()));
        out.writeNumberProperty("pages", relation.pages());
        if (relation.rows().isPresent()) {
            out.writeNumberProperty("rows", relation.rows().getAsLong());
        }
        out.writeNumberProperty("bytes", relation.bytes());
    }

    private static Relation relation(CatalogFields fields) {
        return new Relation(
                fields.number("database"),
                fields.number("oid"),
                fields.number("relfilenode"),
                fields.number("tablespace"),
                fields.text("schema"),
                fields.text("name"),
                fields.letter("kind"),
                fields.letter("persistence"),
                fields.number("pages"),
                fields.has("rows") ? OptionalLong.of(fields.number("rows")) : OptionalLong.empty(),
                fields.number("bytes"));
    }

    private static void write(JsonGenerator out, Extension extension) {
        out.writeStringProperty("type", "extension");
        out.writeNumberProperty("database", extension.databaseOid());
        out.writeStringProperty("schema", extension.schema());
        out.writeStringProperty("name", extension.name());
        out.writeStringProperty("version", extension.version());
    }

    private static Extension extension(CatalogFields fields) {
        return new Extension(
                fields.number("database"),
                fields.text("schema"),
                fields.text("name"),
                fields.text("version"));
    }

    private static void write(JsonGenerator out, Collation collation) {
        out.writeStringProperty("type", "collation");
        out.writeNumberProperty("database", collation.databaseOid());
        out.writeNumberProperty("oid", collation.oid());
        out.writeStringProperty("schema", collation.schema());
        out.writeStringProperty("name", collation.name());
        out.writeStringProperty("provider", String.valueOf(collation.provider()));
        write(out, "version", collation.version());
        write(out, "actualVersion", collation.actualVersion());
    }

    private static Collation collation(CatalogFields fields) {
        return new Collation(
                fields.number("database"),
                fields.number("oid"),
                fields.text("schema"),
                fields.text("name"),
                fields.letter("provider"),
                fields.find("version"),
                fields.find("actualVersion"));
    }

    private static void write(JsonGenerator out, String name, Optional<String> value) {
        value.ifPresent(text -> out.writeStringProperty(name, text));
    }
}
