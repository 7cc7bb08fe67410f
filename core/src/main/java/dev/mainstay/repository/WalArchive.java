package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.repository.format.FrameCoder;
import dev.mainstay.repository.format.FrameKind;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.repository.format.SealedObject;
import dev.mainstay.storage.PutOutcome;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;

/// The continuous log of one cluster (docs/format.md section 11): segments, history and other files
/// by name, parts of a segment that is not finished, and a summary of each segment.
///
/// A name is written once. Putting the same content again is no error; putting other content is
/// [ErrorCode#WAL_CONFLICT]. Thread-safe.
public final class WalArchive {
    /// No WAL segment is larger.
    static final int MAX_SEGMENT = 1 << 30;

    /// Digits of a segment's name.
    private static final int SEGMENT_NAME = 24;

    /// What a put found.
    public enum Stored {
        NEW,
        SAME_CONTENT_BEFORE
    }

    /// A part of an unfinished segment.
    public record Part(int offset, byte[] bytes) {}

    private final ProtectedSource source;
    private final SystemId system;
    private final int compressionLevel;

    WalArchive(ProtectedSource source, SystemId system, int compressionLevel) {
        this.source = source;
        this.system = system;
        this.compressionLevel = compressionLevel;
    }

    public ProtectedSource source() {
        return source;
    }

    public SystemId system() {
        return system;
    }

    private String name(WalSegment segment) {
        return Names.wal(system, segment.timeline()) + segment.fileName();
    }

    /// Stores a complete segment; durable when this returns.
    ///
    /// @param content exactly one segment
    public Stored put(WalSegment segment, byte[] content) {
        try (SegmentAhead nothing = ahead(segment)) {
            return put(nothing, content);
        }
    }

    /// Begins with a segment that is not whole yet. Nothing of it is stored before [#put].
    public SegmentAhead ahead(WalSegment segment) {
        return new SegmentAhead(
                segment,
                writer(ObjectType.WAL_SEGMENT, facts(segment.fileName(), segment.sizeBytes())));
    }

    /// Stores a complete segment of which some was compressed before; durable when this returns.
    ///
    /// @param ahead is used up
    /// @param content exactly one segment
    public Stored put(SegmentAhead ahead, byte[] content) {
        WalSegment segment = ahead.segment();
        if (content.length != segment.sizeBytes()) {
            throw new MainstayException(
                    ErrorCode.WAL_FILE_INVALID,
                    "WAL segment "
                            + segment
                            + " has "
                            + content.length
                            + " bytes, not "
                            + segment.sizeBytes());
        }
        ObjectType type = ObjectType.WAL_SEGMENT;
        ByteBuffer object =
                ahead.end(content).orElseGet(() -> sealFile(type, segment.fileName(), content));
        return put(name(segment), type, segment.fileName(), content, object);
    }

    /// Stores a history, backup or partial file under its own name.
    ///
    /// @param fileName begins with the eight digits of its timeline
    public Stored putFile(String fileName, byte[] content) {
        ObjectType type = ObjectType.WAL_FILE;
        return put(fileName(fileName), type, fileName, content, sealFile(type, fileName, content));
    }

    private String fileName(String fileName) {
        return Names.wal(system, TimelineId.parseHex(fileName.substring(0, 8))) + fileName;
    }

    private Stored put(
            String name, ObjectType type, String fileName, byte[] content, ByteBuffer object) {
        if (source.vault().put(name, object) == PutOutcome.CREATED) {
            return Stored.NEW;
        }
        ArchivedFile.Same same = new ArchivedFile.Same(content);
        if (get(name, type, fileName, same) && same.isSame()) {
            return Stored.SAME_CONTENT_BEFORE;
        }
        throw new MainstayException(
                ErrorCode.WAL_CONFLICT,
                "the repository holds "
                        + fileName
                        + " of system "
                        + system
                        + " with other content");
    }

    /// Whether a complete segment is stored.
    public boolean has(WalSegment segment) {
        return source.vault().store.size(name(segment)).isPresent();
    }

    /// A complete segment, checked against its digest; empty if it is proved absent.
    public Optional<byte[]> get(WalSegment segment) {
        return get(name(segment), ObjectType.WAL_SEGMENT, segment.fileName());
    }

    /// Takes the bytes of a file.
    public interface Sink<E extends Exception> {
        /// Called first, if there is such a file.
        void begin(int lengthBytes) throws E;

        /// Takes what comes next; the bytes are the sink's until this returns.
        void accept(byte[] bytes, int offset, int length) throws E;
    }

    /// As [#get(WalSegment)], a piece at a time.
    ///
    /// @param sink may use what it got only once this has returned: the digest is compared at the
    ///   end
    /// @return false if the segment is proved absent
    public <E extends Exception> boolean get(WalSegment segment, Sink<E> sink) throws E {
        return get(name(segment), ObjectType.WAL_SEGMENT, segment.fileName(), sink);
    }

    /// A history, backup or partial file; empty if it is proved absent.
    public Optional<byte[]> getFile(String fileName) {
        return get(fileName(fileName), ObjectType.WAL_FILE, fileName);
    }

    private Optional<byte[]> get(String name, ObjectType type, String fileName) {
        ArchivedFile.InMemory memory = new ArchivedFile.InMemory();
        return get(name, type, fileName, memory) ? Optional.of(memory.bytes()) : Optional.empty();
    }

    private <E extends Exception> boolean get(
            String name, ObjectType type, String fileName, Sink<E> sink) throws E {
        Optional<byte[]> object = source.vault().find(name);
        if (object.isEmpty()) {
            return false;
        }
        read(name, type, fileName, object.get(), sink);
        return true;
    }

    private <E extends Exception> void read(
            String name, ObjectType type, String fileName, byte[] object, Sink<E> sink) throws E {
        ArchivedFile<E> file = new ArchivedFile<>(name, fileName, system, sink);
        source.vault().open(name, type, object, file);
        file.end();
    }

    static MainstayException damaged(String name) {
        return new MainstayException(
                ErrorCode.OBJECT_DAMAGED, "object " + name + " does not hold what its name says");
    }

    /// Timelines of which anything is stored, in order.
    public List<TimelineId> timelines() {
        List<TimelineId> timelines = new ArrayList<>();
        String prefix = Names.wal(system);
        String after = "";
        while (true) {
            var page = source.vault().store.list(prefix, after, 1);
            if (page.objects().isEmpty()) {
                return timelines;
            }
            String name = page.objects().getFirst().name();
            TimelineId timeline =
                    TimelineId.parseHex(name.substring(prefix.length()).split("/", -1)[0]);
            timelines.add(timeline);
            after = Names.wal(system, timeline) + "~";
        }
    }

    /// The stored segments of a timeline in order, from `from` on.
    ///
    /// @param from first segment of interest; names before it are not listed
    public void segments(WalSegment from, Consumer<WalSegment> each) {
        String prefix = Names.wal(system, from.timeline());
        String after = from.number() == 0 ? "" : prefix + previousName(from);
        Listing.forEachAfter(
                source.vault().store,
                prefix,
                after,
                object -> {
                    String file = object.name().substring(prefix.length());
                    if (WalSegment.isName(file)) {
                        each.accept(WalSegment.parse(file, from.sizeBytes()));
                    }
                });
    }

    /// Takes what is stored under a segment's name.
    public interface Named {
        /// @param whole as a complete segment, rather than parts of it, its summary, or a file that
        ///   is named after it
        void accept(WalSegment segment, boolean whole);
    }

    /// Everything of a timeline that is named after a segment; a segment may be told several times.
    /// Names that are none of segments of this size are passed over.
    public void everything(TimelineId timeline, int segmentSizeBytes, Named each) {
        for (String prefix :
                List.of(
                        Names.wal(system, timeline),
                        Names.parts(system, timeline),
                        Names.summaries(system, timeline))) {
            Listing.forEach(
                    source.vault().store,
                    prefix,
                    object -> {
                        String name = object.name().substring(prefix.length());
                        boolean whole = prefix.startsWith(Names.WAL) && WalSegment.isName(name);
                        named(name, segmentSizeBytes)
                                .ifPresent(segment -> each.accept(segment, whole));
                    });
        }
    }

    private static Optional<WalSegment> named(String name, int segmentSizeBytes) {
        String first = name.substring(0, Math.min(name.length(), SEGMENT_NAME));
        try {
            return Optional.of(WalSegment.parse(first, segmentSizeBytes));
        } catch (IllegalArgumentException noSegment) {
            return Optional.empty(); // a history file, or one of a time with another size
        }
    }

    /// Files stored under a timeline that are no segments: history, backup labels, partials.
    public List<String> files(TimelineId timeline) {
        String prefix = Names.wal(system, timeline);
        List<String> files = new ArrayList<>();
        Listing.forEach(
                source.vault().store,
                prefix,
                object -> {
                    String file = object.name().substring(prefix.length());
                    if (!WalSegment.isName(file)) {
                        files.add(file);
                    }
                });
        return files;
    }

    private static String previousName(WalSegment segment) {
        return new WalSegment(segment.timeline(), segment.number() - 1, segment.sizeBytes())
                .fileName();
    }

    /// Stores bytes of a segment that is not finished yet.
    ///
    /// @param offset of the first byte within the segment
    public void putPart(WalSegment segment, int offset, byte[] bytes) {
        Vault vault = source.vault();
        String name = part(segment, offset, bytes.length);
        Json facts =
                Json.object()
                        .put("name", segment.fileName())
                        .put("system", system.toString())
                        .put("offset", offset)
                        .put("length", bytes.length);
        ByteBuffer object = seal(ObjectType.WAL_PART, facts, bytes);
        if (vault.put(name, object) == PutOutcome.EXISTED
                && !Arrays.equals(
                        readPart(segment.fileName(), name, vault.get(name)).bytes, bytes)) {
            throw new MainstayException(
                    ErrorCode.WAL_CONFLICT,
                    "the repository holds another part of " + segment + " at byte " + offset);
        }
    }

    private String part(WalSegment segment, int offset, int length) {
        return Names.parts(system, segment.timeline())
                + partSuffix(segment.fileName(), offset, length);
    }

    private static String partSuffix(String fileName, int offset, int length) {
        return fileName + String.format(Locale.ROOT, "/%08x-%08x", offset, length);
    }

    /// Reads an object of this archive as its name says it is, and compares it with its digest.
    ///
    /// @return the records that it names, which must all be there
    List<NewestRecords.Head> check(String name, byte[] object) {
        String[] words = name.split("/", -1);
        String fileName = words[3];
        switch (words[0]) {
            case "summaries" -> {
                return summary(fileName, name, object).heads;
            }
            case "parts" -> readPart(fileName, name, object);
            default -> {
                boolean segment = WalSegment.isName(fileName);
                ObjectType type = segment ? ObjectType.WAL_SEGMENT : ObjectType.WAL_FILE;
                read(name, type, fileName, object, new ArchivedFile.InMemory());
            }
        }
        return List.of();
    }

    /// What is stored of an unfinished segment: its bytes from the start on without a gap. Empty if
    /// nothing is.
    public byte[] parts(WalSegment segment) {
        Vault vault = source.vault();
        String prefix = Names.parts(system, segment.timeline()) + segment.fileName() + "/";
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Listing.forEach(
                vault.store,
                prefix,
                object -> {
                    Part part =
                            readPart(segment.fileName(), object.name(), vault.get(object.name()));
                    if (part.offset > bytes.size()) {
                        return; // a gap: what follows is of no use yet
                    }
                    int known = Math.min(bytes.size() - part.offset, part.bytes.length);
                    bytes.write(part.bytes, known, part.bytes.length - known);
                });
        return bytes.toByteArray();
    }

    private Part readPart(String fileName, String name, byte[] object) {
        List<SealedObject.Part> frames = source.vault().open(name, ObjectType.WAL_PART, object);
        Json facts = Json.parse(name, frames.getFirst().payload());
        byte[] content = content(frames);
        long offset = facts.number("offset");
        boolean right =
                facts.string("name").equals(fileName)
                        && facts.string("system").equals(system.toString())
                        && facts.number("length") == content.length
                        && offset >= 0
                        && offset + content.length <= MAX_SEGMENT
                        && name.endsWith(partSuffix(fileName, (int) offset, content.length));
        if (!right) {
            throw damaged(name);
        }
        return new Part((int) offset, content);
    }

    /// Segments of a timeline of which parts are stored.
    public List<WalSegment> partial(TimelineId timeline, int segmentSizeBytes) {
        String prefix = Names.parts(system, timeline);
        List<WalSegment> segments = new ArrayList<>();
        Listing.forEach(
                source.vault().store,
                prefix,
                object -> {
                    String file = object.name().substring(prefix.length()).split("/", -1)[0];
                    WalSegment segment = WalSegment.parse(file, segmentSizeBytes);
                    if (segments.isEmpty() || !segments.getLast().equals(segment)) {
                        segments.add(segment);
                    }
                });
        return segments;
    }

    /// Removes the parts of a segment that is stored whole by now; best effort.
    public void collectParts(WalSegment segment) {
        Vault vault = source.vault();
        if (vault.store.size(name(segment)).isPresent()) {
            Listing.all(
                            vault.store,
                            Names.parts(system, segment.timeline()) + segment.fileName() + "/")
                    .forEach(object -> vault.store.delete(object.name()));
        }
    }

    /// Stores a segment's summary, and with it the newest records of the source, so that none of
    /// them can vanish unnoticed; a summary that is there already stays.
    public void putSummary(WalSegment segment, byte[] summary) {
        source.vault().put(summaryName(segment), sealSummary(segment, summary));
    }

    /// Puts a summary in the place of one that is damaged.
    public void replaceSummary(WalSegment segment, byte[] summary) {
        source.vault().store.replace(summaryName(segment), sealSummary(segment, summary));
    }

    private ByteBuffer sealSummary(WalSegment segment, byte[] summary) {
        List<Json> heads =
                source.newest().heads().stream()
                        .map(
                                head ->
                                        Json.object()
                                                .put("object", head.object())
                                                .put("sha256", head.sha256()))
                        .toList();
        Json facts =
                Json.object()
                        .put("name", segment.fileName())
                        .put("system", system.toString())
                        .put("length", summary.length)
                        .put("heads", heads);
        return seal(ObjectType.WAL_SUMMARY, facts, summary);
    }

    public Optional<byte[]> getSummary(WalSegment segment) {
        String name = summaryName(segment);
        return source.vault()
                .find(name)
                .map(object -> summary(segment.fileName(), name, object).content);
    }

    /// Whether a segment that is not there was freed by retention, rather than never stored. Freed
    /// is only what is older than a backup that is there, so newer WAL is stored: where there is
    /// none, which is what a recovery meets at the end of the log, two requests for each timeline
    /// tell.
    ///
    /// @throws MainstayException if it cannot be told for certain
    public boolean isFreed(WalSegment segment) {
        return timelines().stream().anyMatch(timeline -> hasNewer(segment.onTimeline(timeline)))
                && RecordChain.freedWal(source).touches(system, segment);
    }

    private boolean hasNewer(WalSegment than) {
        String prefix = Names.wal(system, than.timeline());
        return !source.vault().store.list(prefix, prefix + than.fileName(), 1).objects().isEmpty();
    }

    private record Summary(byte[] content, List<NewestRecords.Head> heads) {}

    private Summary summary(String fileName, String name, byte[] object) {
        List<SealedObject.Part> frames = source.vault().open(name, ObjectType.WAL_SUMMARY, object);
        Json facts = Json.parse(name, frames.getFirst().payload());
        byte[] content = content(frames);
        boolean right =
                facts.string("name").equals(fileName)
                        && facts.string("system").equals(system.toString())
                        && facts.number("length") == content.length;
        if (!right) {
            throw damaged(name);
        }
        return new Summary(
                content,
                facts.objects("heads").stream()
                        .map(
                                head ->
                                        new NewestRecords.Head(
                                                head.string("object"), head.string("sha256")))
                        .toList());
    }

    private static byte[] content(List<SealedObject.Part> frames) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        frames.subList(1, frames.size()).forEach(frame -> bytes.writeBytes(frame.payload()));
        return bytes.toByteArray();
    }

    private Json facts(String fileName, int length) {
        return Json.object()
                .put("name", fileName)
                .put("system", system.toString())
                .put("length", length);
    }

    private ArchivedFile.Writer writer(ObjectType type, Json facts) {
        return new ArchivedFile.Writer(source.vault().newSeal(type), compressionLevel, facts);
    }

    private ByteBuffer sealFile(ObjectType type, String fileName, byte[] content) {
        try (ArchivedFile.Writer writer = writer(type, facts(fileName, content.length))) {
            writer.addAll(content, 0);
            return writer.end();
        }
    }

    /// An object of this archive: what it is, then its bytes in frames.
    private ByteBuffer seal(ObjectType type, Json facts, byte[] content) {
        byte[] none = new byte[0];
        byte[] body = facts.toBytes();
        try (FrameCoder coder = new FrameCoder(compressionLevel)) {
            SealedObject.Writer writer =
                    new SealedObject.Writer(coder, source.vault().newSeal(type));
            writer.add(FrameKind.BODY, none, body, 0, body.length);
            for (int at = 0; at < content.length; at += SegmentAhead.FRAME) {
                int length = Math.min(SegmentAhead.FRAME, content.length - at);
                writer.add(FrameKind.DATA, none, content, at, length);
            }
            return writer.end();
        }
    }

    /// The segments of a timeline that have a summary, in order.
    public void summaries(TimelineId timeline, int segmentSizeBytes, Consumer<WalSegment> each) {
        String prefix = Names.summaries(system, timeline);
        Listing.forEach(
                source.vault().store,
                prefix,
                object ->
                        each.accept(
                                WalSegment.parse(
                                        object.name().substring(prefix.length()),
                                        segmentSizeBytes)));
    }

    /// The name of the object that holds a segment.
    public String objectName(WalSegment segment) {
        return name(segment);
    }

    /// The name of the object that holds a segment's summary.
    public String summaryName(WalSegment segment) {
        return Names.summaries(system, segment.timeline()) + segment.fileName();
    }

    /// The name of the object that holds another file.
    public String objectName(String file) {
        return fileName(file);
    }

    /// End of what is stored without a gap from the start of `from` on its timeline, counting
    /// parts.
    public Lsn storedUpTo(WalSegment from) {
        WalSegment[] next = {from};
        segments(
                from,
                segment -> {
                    if (segment.equals(next[0])) {
                        next[0] = segment.next();
                    }
                });
        return next[0].start().plus(parts(next[0]).length);
    }
}
