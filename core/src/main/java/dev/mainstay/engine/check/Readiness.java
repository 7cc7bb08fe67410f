package dev.mainstay.engine.check;

import dev.mainstay.engine.RepositoryAccess;
import dev.mainstay.engine.config.RepositorySettings;
import dev.mainstay.postgres.cluster.Finding;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.Repository;
import dev.mainstay.storage.StoreFacts;
import dev.mainstay.storage.remote.RemotePlace;
import dev.mainstay.storage.remote.StoreClock;

import org.jspecify.annotations.Nullable;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/// Whether everything is ready to back up, archive and restore. Nothing is changed, in the
/// repository or on a server.
///
/// Each look is independent of the others: what cannot be looked at is a finding itself, and all
/// findings are reported, those that are well included.
public final class Readiness implements AutoCloseable {
    private final RepositorySettings settings;
    private final Ground ground;
    private final Findings findings = new Findings();
    private @Nullable Repository repository;

    private final SameCluster clusters;

    private Readiness(RepositorySettings settings, Ground ground, Collection<String> sources) {
        this.settings = settings;
        this.ground = ground;
        this.clusters = new SameCluster(sources);
    }

    /// Looks at the repository, and leaves it open for [#of]; one that does not open is a finding.
    ///
    /// @param sources names of all that are configured
    public static Readiness open(
            RepositorySettings settings, Ground ground, Collection<String> sources) {
        Readiness readiness = new Readiness(settings, ground, sources);
        readiness.look();
        return readiness;
    }

    /// What was found at the repository.
    public List<Finding> repository() {
        return findings.all();
    }

    /// Looks at one source.
    public List<Finding> of(CheckedSource source) {
        return new SourceLook(source, Optional.ofNullable(repository), ground.clock(), clusters)
                .look();
    }

    private void look() {
        Optional<Path> folder = folder(settings.url());
        findings.look("key", () -> KeyProbe.look(settings, folder));
        findings.look("repository", this::opened);
        Repository open = repository;
        findings.look("bucket", () -> bucket(settings));
        settings.place().ifPresent(place -> findings.look("tls", () -> TlsProbe.store(place)));
        settings.place().ifPresent(place -> findings.look("clock", () -> clock(place)));
        if (open != null && folder.filter(Files::isDirectory).isPresent()) {
            findings.look("space-repository", () -> SpaceProbe.repository(open, folder.get()));
        }
    }

    private static List<Finding> bucket(RepositorySettings settings) {
        return RepositoryAccess.judge(settings).stream()
                .map(
                        each ->
                                switch (each.severity()) {
                                    case OK -> Finding.ok(each.id(), each.text());
                                    case WARNING ->
                                            Finding.warning(
                                                    each.id(), each.text(), each.whatToDo());
                                    case ERROR ->
                                            Finding.error(each.id(), each.text(), each.whatToDo());
                                })
                .toList();
    }

    private List<Finding> clock(RemotePlace place) {
        return StoreClock.ahead(place, ground.clock())
                .map(ahead -> List.of(ClockProbe.store(ahead)))
                .orElseGet(
                        () ->
                                List.of(
                                        Finding.ok(
                                                "clock",
                                                "the store does not tell what time it has")));
    }

    private List<Finding> opened() {
        Repository open = RepositoryAccess.open(settings, ground);
        repository = open;
        StoreFacts facts = open.store().facts();
        Finding opens = Finding.ok("repository", "repository " + facts.url() + " opens");
        if (!facts.putIfAbsent() || !facts.listAfterPut()) {
            return List.of(
                    opens,
                    Finding.warning(
                            "store",
                            "the store cannot promise that of several writers one wins and all see"
                                    + " it: collecting waits for a day",
                            "use a file system with hard links, or a store with conditional put"));
        }
        if (!facts.durable()) {
            return List.of(
                    opens,
                    Finding.warning(
                            "store",
                            "the store cannot promise that what was put survives a crash",
                            "use a file system on a disk"));
        }
        return List.of(opens);
    }

    private static Optional<Path> folder(String url) {
        try {
            URI uri = URI.create(url);
            return "file".equals(uri.getScheme()) && uri.getPath() != null
                    ? Optional.of(Path.of(uri.getPath()))
                    : Optional.empty();
        } catch (IllegalArgumentException wrong) {
            return Optional.empty(); // said when the repository is opened
        }
    }

    @Override
    public void close() {
        Repository open = repository;
        if (open != null) {
            open.close();
        }
    }
}
