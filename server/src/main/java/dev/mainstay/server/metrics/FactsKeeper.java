package dev.mainstay.server.metrics;

import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.config.Configuration;
import dev.mainstay.engine.config.SourceSettings;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.ScrubPosition;
import dev.mainstay.repository.StoredObjects;
import dev.mainstay.storage.remote.RemotePlace;
import dev.mainstay.storage.remote.StoreClock;
import dev.mainstay.server.security.TokenTable;
import dev.mainstay.server.view.RepositoryView;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.jdbc.core.simple.JdbcClient;

import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/// Finds out in the background what the state of protection is, each part at its own pace and in a
/// thread of its own, so that a server or a store that hangs holds up nothing else. Whoever asks
/// gets what was found last.
public final class FactsKeeper implements SmartLifecycle {
    private static final Logger LOG = LoggerFactory.getLogger(FactsKeeper.class);

    /// A repository is opened anew, with its keys, after so long.
    private static final Duration REOPEN = Duration.ofHours(1);

    private static final Duration INFORMED = Duration.ofMinutes(5);
    private static final Duration COUNT = Duration.ofHours(1);

    /// How often each part is looked at.
    ///
    /// @param copies and, at most, everything that takes a whole list of objects: once an hour
    public record Pace(Duration clusters, Duration archives, Duration copies, Duration jobs) {
        public static final Pace USUAL =
                new Pace(
                        Duration.ofSeconds(15),
                        Duration.ofSeconds(60),
                        Duration.ofMinutes(5),
                        Duration.ofSeconds(15));
    }

    private final Surroundings surroundings;
    private final RepositoryView view;
    private volatile Configuration configuration;
    private final JobHistory history;
    private final SizeTable sizes;
    private volatile SpaceLook spaceLook;
    private final HostLook hostLook;
    private final Pace pace;
    private final Map<String, ClusterLook> clusterLooks = new ConcurrentHashMap<>();
    private final Map<String, ArchiveLook> archiveLooks = new LinkedHashMap<>();
    private final Map<String, CopyLook> copyLooks = new LinkedHashMap<>();
    private final Map<String, ClusterFacts> clusters = new ConcurrentHashMap<>();
    private final Map<String, ArchiveFacts> archives = new ConcurrentHashMap<>();
    private final Map<String, CopyFacts> copies = new ConcurrentHashMap<>();
    private final CountDownLatch stopped = new CountDownLatch(1);
    private final List<Thread> threads = new CopyOnWriteArrayList<>();
    private final Set<String> looked = ConcurrentHashMap.newKeySet();
    private volatile int looks;
    private volatile Instant startedAt = Instant.MAX;
    private volatile RepositoryFacts repositoryFacts;
    private volatile JobFacts jobs;
    private volatile List<SpaceFacts> spaces = List.of();
    private volatile HostFacts host = new HostFacts(Optional.empty(), Optional.empty(), List.of());
    private @Nullable Repository repository;
    private Instant openedAt = Instant.MIN;
    private Instant countedAt = Instant.MIN;
    private Instant clockAskedAt = Instant.MIN;
    private Optional<Duration> clockAhead = Optional.empty();
    private volatile boolean running;

    /// @param refusal why the configuration file cannot be used, if it cannot
    public FactsKeeper(
            Surroundings surroundings,
            RepositoryView view,
            JdbcClient jdbc,
            TokenTable tokens,
            Supplier<Optional<String>> refusal,
            Pace pace) {
        this.surroundings = surroundings;
        this.view = view;
        this.configuration = surroundings.configuration();
        this.history = new JobHistory(jdbc);
        this.sizes = new SizeTable(jdbc);
        this.spaceLook = new SpaceLook(configuration);
        this.hostLook = new HostLook(configuration.server(), tokens, refusal);
        this.pace = pace;
        this.repositoryFacts = RepositoryFacts.unknown(now());
        this.jobs = JobFacts.none(now());
        configuration.sources().values().forEach(this::looksAt);
        copiesOf(configuration);
    }

    private void looksAt(SourceSettings source) {
        ClusterLook cluster = new ClusterLook(surroundings, source);
        clusterLooks.put(source.name(), cluster);
        archiveLooks.put(source.name(), new ArchiveLook(source, cluster.trail()));
        if (running) {
            watch(source.name(), cluster);
        }
    }

    private void copiesOf(Configuration next) {
        copyLooks.clear();
        copies.clear();
        next.copies()
                .forEach(
                        (name, copy) ->
                                copyLooks.put(name, new CopyLook(copy, surroundings.ground())));
    }

    private static boolean isSame(SourceSettings one, @Nullable SourceSettings other) {
        return other != null
                && one.postgres().equals(other.postgres())
                && one.retention().equals(other.retention());
    }

    /// Looks at what the configuration has now; of a source that is another one by it nothing is
    /// known any more.
    private synchronized void follow() {
        Configuration before = configuration;
        Configuration next = surroundings.configuration();
        if (next.equals(before)) {
            return;
        }
        configuration = next;
        spaceLook = new SpaceLook(next);
        if (!next.copies().equals(before.copies())) {
            copiesOf(next);
        }
        for (SourceSettings each : before.sources().values()) {
            if (!isSame(each, next.sources().get(each.name()))) {
                clusterLooks.remove(each.name());
                archiveLooks.remove(each.name());
                clusters.remove(each.name());
                archives.remove(each.name());
            }
        }
        for (SourceSettings each : next.sources().values()) {
            if (!clusterLooks.containsKey(each.name())) {
                looksAt(each);
            }
        }
    }

    private Instant now() {
        return surroundings.ground().clock().instant();
    }

    /// What is known now.
    public Facts facts() {
        Map<String, SourceFacts> sources = new LinkedHashMap<>();
        for (String name : configuration.sources().keySet()) {
            sources.put(
                    name,
                    new SourceFacts(
                            name,
                            Optional.ofNullable(archives.get(name)),
                            Optional.ofNullable(clusters.get(name))));
        }
        Map<String, CopyFacts> known = new LinkedHashMap<>();
        for (String name : configuration.copies().keySet()) {
            Optional.ofNullable(copies.get(name)).ifPresent(copy -> known.put(name, copy));
        }
        return new Facts(now(), sources, known, repositoryFacts, jobs, spaces, host);
    }

    /// Whether everything was looked at once, or at least for long enough: what is not known by then
    /// is out of reach.
    public boolean isInformed() {
        return looked.size() >= looks
                || (looked.contains("jobs") && now().isAfter(startedAt.plus(INFORMED)));
    }

    @Override
    public void start() {
        running = true;
        startedAt = now();
        looks = clusterLooks.size() + 2;
        clusterLooks.forEach(this::watch);
        every(
                Thread.ofPlatform().daemon(),
                pace.archives(),
                "repository",
                this::lookAtRepository,
                () -> true);
        every(Thread.ofPlatform().daemon(), pace.jobs(), "jobs", this::lookAtJobs, () -> true);
    }

    private void watch(String name, ClusterLook look) {
        every(
                Thread.ofVirtual(),
                pace.clusters(),
                "cluster " + name,
                () -> cluster(name, look),
                () -> clusterLooks.get(name) == look);
    }

    /// @param kind virtual for what mostly waits: one that computes for long lets no other one in
    /// @param goesOn whether it still has to be looked at
    private void every(
            Thread.Builder kind,
            Duration interval,
            String what,
            Runnable look,
            BooleanSupplier goesOn) {
        threads.add(
                kind.name("look at " + what)
                        .start(
                                () -> {
                                    do {
                                        quietly(what, look);
                                        looked.add(what);
                                    } while (!isStopped(interval) && goesOn.getAsBoolean());
                                }));
    }

    private boolean isStopped(Duration after) {
        try {
            return stopped.await(after.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException end) {
            return true;
        }
    }

    /// What is not seen this time is seen the next; what was found last says how old it is.
    private static void quietly(String what, Runnable look) {
        try {
            look.run();
        } catch (RuntimeException failed) {
            LOG.warn("{} could not be looked at: {}", what, failed.toString());
        }
    }

    /// Everything once, at once: for who cannot wait.
    void lookNow() {
        clusterLooks.forEach(this::cluster);
        countedAt = Instant.MIN;
        clockAskedAt = Instant.MIN;
        copies.clear();
        lookAtRepository();
        lookAtJobs();
    }

    private void cluster(String name, ClusterLook look) {
        ClusterFacts facts = look.look();
        if (clusterLooks.get(name) == look) {
            clusters.put(name, facts);
        }
    }

    private void lookAtJobs() {
        follow();
        jobs = history.read(now(), configuration.sources().keySet());
        host = hostLook.look();
        spaces =
                spaceLook.look(
                        repositoryFacts.bytes(),
                        free -> Growth.lasts(sizes.late("repository", now()), free));
    }

    private synchronized void lookAtRepository() {
        follow();
        Instant now = now();
        try {
            Repository open = open(now);
            archiveLooks.forEach((name, look) -> archive(name, look, open, now));
            copyLooks.forEach((name, look) -> copy(name, look, open, now));
            repositoryFacts = counted(open, now);
        } catch (MainstayException failed) {
            repositoryFacts =
                    new RepositoryFacts(
                            now,
                            Optional.of(failed.code().id() + ": " + failed.getMessage()),
                            repositoryFacts.bytesByKind(),
                            repositoryFacts.readThrough(),
                            storeClock(now));
            close();
        }
    }

    /// What takes long leaves as much time to others before it goes on.
    private void archive(String name, ArchiveLook look, Repository open, Instant now) {
        long begun = System.nanoTime();
        Optional<ProtectedSource> source = open.source(name);
        archives.put(
                name, look.look(source, chain -> view.look(name, source, chain), now));
        boolean _ = isStopped(Duration.ofNanos(System.nanoTime() - begun));
    }

    private void copy(String name, CopyLook look, Repository open, Instant now) {
        CopyFacts last = copies.get(name);
        if (last == null || !now.isBefore(last.at().plus(pace.copies()))) {
            copies.put(name, look.look(open, configuration, now));
        }
    }

    private Repository open(Instant now) {
        Repository open = repository;
        if (open != null && now.isBefore(openedAt.plus(REOPEN))) {
            return open;
        }
        close();
        open = surroundings.open();
        repository = open;
        openedAt = now;
        return open;
    }

    private RepositoryFacts counted(Repository open, Instant now) {
        if (!countedAt.equals(Instant.MIN) && now.isBefore(countedAt.plus(COUNT))) {
            return new RepositoryFacts(
                    now,
                    Optional.empty(),
                    repositoryFacts.bytesByKind(),
                    repositoryFacts.readThrough(),
                    storeClock(now));
        }
        Map<String, Long> kinds =
                StoredObjects.list(open).kinds().entrySet().stream()
                        .collect(
                                Collectors.toMap(
                                        Map.Entry::getKey, each -> each.getValue().bytes()));
        RepositoryFacts counted =
                new RepositoryFacts(
                        now,
                        Optional.empty(),
                        kinds,
                        ScrubPosition.last(open).before(),
                        storeClock(now));
        counted.bytes().ifPresent(bytes -> sizes.add("repository", now, bytes));
        countedAt = now;
        return counted;
    }

    /// A folder has the clock of this host; what is over the network is asked now and then.
    private Optional<Duration> storeClock(Instant now) {
        Optional<? extends RemotePlace> place = configuration.repository().place();
        if (place.isEmpty()) {
            return Optional.of(Duration.ZERO);
        }
        if (clockAskedAt.equals(Instant.MIN) || !now.isBefore(clockAskedAt.plus(COUNT))) {
            clockAhead = StoreClock.ahead(place.get(), surroundings.ground().clock());
            clockAskedAt = now;
        }
        return clockAhead;
    }

    private synchronized void close() {
        Repository open = repository;
        repository = null;
        if (open != null) {
            open.close();
        }
    }

    @Override
    public void stop() {
        running = false;
        stopped.countDown();
        threads.forEach(Thread::interrupt);
        for (Thread thread : threads) {
            try {
                thread.join(Duration.ofSeconds(5));
            } catch (InterruptedException hurry) {
                Thread.currentThread().interrupt();
            }
        }
        close();
    }

    @Override
    public boolean isRunning() {
        return running;
    }
}
