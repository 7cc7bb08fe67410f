package dev.mainstay.server.view;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SourceId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.archive.ArchivedTimelines;
import dev.mainstay.engine.archive.CatalogHistory;
import dev.mainstay.engine.archive.StoredTimeline;
import dev.mainstay.engine.archive.ToldTimeline;
import dev.mainstay.engine.backup.FoundBackup;
import dev.mainstay.engine.retention.ExpiryPlan;
import dev.mainstay.engine.retention.RepositoryUsage;
import dev.mainstay.engine.retention.RetentionPolicy;
import dev.mainstay.engine.retention.SourceExpiry;
import dev.mainstay.repository.KnownRecords;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.RecordChain;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.StoredObjects;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.function.Function;
import java.util.function.Predicate;

/// The repository as it was some seconds ago. It is opened when somebody asks first, and stays
/// open.
public final class RepositoryView implements AutoCloseable {
    /// Sources that are read at the same time.
    private static final int AT_ONCE = 3;

    private static final Duration SECONDS = Duration.ofSeconds(5);
    private static final Duration MINUTE = Duration.ofMinutes(1);

    /// Whoever looks at everything each minute tells what he saw.
    private static final Duration MINUTES = Duration.ofMinutes(3);
    private static final Duration HALF_AN_HOUR = Duration.ofMinutes(30);

    /// Threads of the system, which share the processors with those that answer: a virtual one that
    /// is busy for long lets no other one in.
    private static final Executor READERS =
            work -> Thread.ofPlatform().daemon().name("reads the repository").start(work);

    private final Surroundings surroundings;
    private final Remembered<String, List<String>> names = remembered(_ -> readNames(), SECONDS);
    private final Remembered<String, List<ProtectedSource>> readable =
            remembered(_ -> FoundBackup.readable(repository(), new ArrayList<>()), SECONDS);
    private final Map<SourceId, KnownRecords<KnownBackup>> records = new ConcurrentHashMap<>();
    private final Remembered<String, SourcePicture> sources =
            remembered(this::readSource, SECONDS, MINUTES);
    private final Remembered<String, ExpiryPlan> plans = remembered(this::readPlan, SECONDS);
    private final Remembered<String, WalPicture> wal =
            remembered(name -> WalPicture.of(known(name)), SECONDS);
    private final Remembered<String, List<CopyPicture>> copies =
            remembered(_ -> readCopies(), MINUTE);
    private final Remembered<String, StoredObjects> objects =
            remembered(_ -> StoredObjects.list(repository()), Duration.ofMinutes(5));
    private final Remembered<String, RepositoryUsage> usage =
            remembered(_ -> readUsage(), Duration.ofMinutes(5));
    private final Semaphore reading = new Semaphore(AT_ONCE);
    private @Nullable Repository open;

    public RepositoryView(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    private <V> Remembered<String, V> remembered(Function<String, V> reading, Duration fresh) {
        return remembered(reading, fresh, fresh.equals(SECONDS) ? MINUTE : HALF_AN_HOUR);
    }

    private <V> Remembered<String, V> remembered(
            Function<String, V> reading, Duration fresh, Duration bearable) {
        return new Remembered<>(
                reading, fresh, bearable, () -> surroundings().ground().clock().instant(), READERS);
    }

    private Surroundings surroundings() {
        return surroundings;
    }

    /// Open for as long as this view is; not to be closed by others.
    public synchronized Repository repository() {
        Repository known = open;
        if (known == null) {
            known = surroundings.open();
            open = known;
        }
        return known;
    }

    @Override
    public synchronized void close() {
        if (open != null) {
            open.close();
            open = null;
        }
    }

    /// Of the configuration, and of the repository.
    public List<String> names() {
        return names.get("");
    }

    private List<String> readNames() {
        TreeSet<String> all = new TreeSet<>(surroundings.configuration().sources().keySet());
        readable.get("").forEach(source -> all.add(source.name()));
        return List.copyOf(all);
    }

    /// @throws MainstayException SOURCE_UNKNOWN, SOURCE_SHREDDED, or why it cannot be told
    public SourcePicture source(String name) {
        demandKnown(name);
        return sources.get(name);
    }

    /// All whose names are wanted; read at once where they were not read yet.
    public List<SourcePicture> sources(Predicate<String> wanted) {
        List<String> all = names().stream().filter(wanted).toList();
        all.forEach(sources::begin);
        return all.stream().map(sources::get).toList();
    }

    /// A look at a source by whoever has the repository open: others are told of what he saw.
    ///
    /// @param chain if he has just read its records
    public SourcePicture look(
            String name, Optional<ProtectedSource> source, Optional<RecordChain> chain) {
        Instant at = surroundings.ground().clock().instant();
        SourcePicture picture = picture(name, source, chain);
        sources.learn(name, picture, at);
        return picture;
    }

    /// Nothing is remembered of what nobody has.
    private void demandKnown(String name) {
        if (!names().contains(name)) {
            surroundings.configuration().source(name);
        }
    }

    private SourcePicture readSource(String name) {
        reading.acquireUninterruptibly();
        try {
            return picture(name, repository().source(name), Optional.empty());
        } finally {
            reading.release();
        }
    }

    private SourcePicture picture(
            String name, Optional<ProtectedSource> source, Optional<RecordChain> chain) {
        boolean configured = surroundings.configuration().sources().containsKey(name);
        if (source.isEmpty()) {
            return SourcePicture.none(name, configured);
        }
        KnownRecords<KnownBackup> all =
                records.computeIfAbsent(
                        source.get().id(), _ -> new KnownRecords<>(KnownBackup::of));
        KnownRecords.Known<KnownBackup> known =
                chain.isPresent()
                        ? all.read(source.get(), chain.get())
                        : all.read(source.get());
        return sources.last(name)
                .filter(last -> last.isOf(known))
                .orElseGet(() -> SourcePicture.of(name, configured, known));
    }

    /// What would expire, and what can be recovered before and after.
    ///
    /// @throws MainstayException SOURCE_UNKNOWN, or why it cannot be told
    public ExpiryPlan plan(String name) {
        demandKnown(name);
        return plans.get(name);
    }

    private ExpiryPlan readPlan(String name) {
        RetentionPolicy policy =
                Optional.ofNullable(surroundings.configuration().sources().get(name))
                        .map(source -> source.retention())
                        .orElse(RetentionPolicy.everything());
        return new SourceExpiry(known(name), policy, surroundings.ground().clock().instant())
                .plan();
    }

    /// @throws MainstayException SOURCE_UNKNOWN, BACKUP_UNKNOWN without any, or why it cannot be
    ///   told
    public WalPicture wal(String name) {
        demandKnown(name);
        return wal.get(name);
    }

    /// What happened when in the log of a source; read anew.
    ///
    /// @param timeline left empty, the newest
    /// @throws MainstayException SOURCE_UNKNOWN, BACKUP_UNKNOWN, WAL_ABSENT, or why it cannot be
    ///   told
    public LogStory timeline(
            String name,
            Optional<TimelineId> timeline,
            ToldTimeline.Range range,
            Optional<Duration> interval,
            ToldTimeline.RestoreCall call) {
        ArchivedTimelines timelines = ArchivedTimelines.of(known(name));
        StoredTimeline.Story story =
                StoredTimeline.read(timelines.log(timeline.orElseGet(timelines::newest)));
        ToldTimeline told =
                ToldTimeline.of(
                        story,
                        new CatalogHistory(timelines, story.history()),
                        range,
                        interval,
                        call);
        return new LogStory(told, timelines.newest(), timelines.warnings(story.history().timeline()));
    }

    /// A log, and what is wrong with what is stored of it.
    public record LogStory(ToldTimeline told, TimelineId newest, List<String> warnings) {
        public LogStory {
            warnings = List.copyOf(warnings);
        }
    }

    /// Of every copy of the configuration.
    public List<CopyPicture> copies() {
        return copies.get("");
    }

    private List<CopyPicture> readCopies() {
        return surroundings.configuration().copies().values().stream()
                .map(
                        copy ->
                                CopyPicture.of(
                                        repository(),
                                        surroundings.configuration(),
                                        copy,
                                        surroundings.ground()))
                .toList();
    }

    /// What the store lists.
    public StoredObjects objects() {
        return objects.get("");
    }

    /// What the space is used for. Reads the manifests of all backups.
    public RepositoryUsage usage() {
        return usage.get("");
    }

    private RepositoryUsage readUsage() {
        return RepositoryUsage.read(repository(), surroundings.ground().clock().instant());
    }

    /// Where it was when the source was read last, else in every source.
    ///
    /// @throws MainstayException BACKUP_UNKNOWN, or what is wrong with its record
    public FoundBackup backup(String text) {
        BackupId id = FoundBackup.parse(text);
        for (ProtectedSource each : readable.get("")) {
            if (sources.last(each.name()).filter(picture -> picture.has(id)).isPresent()) {
                return FoundBackup.in(each, id);
            }
        }
        return FoundBackup.of(repository(), text);
    }

    /// Something of it was just changed here: whoever asks next hears of it.
    public void changed(String name) {
        sources.forget(name);
        plans.forget(name);
    }

    /// A source of which something is stored.
    ///
    /// @throws MainstayException SOURCE_UNKNOWN, SOURCE_SHREDDED, or why it cannot be told
    public ProtectedSource known(String name) {
        return surroundings.known(repository(), name);
    }
}
