package dev.mainstay.engine.check;

import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.engine.config.PostgresSettings;
import dev.mainstay.postgres.cluster.Finding;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.Repository;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Two sources of one configuration that are one cluster: its WAL is stored under the cluster's own
/// name and sealed for the source that stored it, so that the other's backups and receiver fail.
public final class SameCluster {
    private static final String ID = "same-cluster";
    private static final String TODO =
            "leave one of them out of 'sources'; a primary and its standby are one source, which"
                    + " names the other in postgres.standby";

    private final Collection<String> configured;
    private final Map<SystemId, String> answered = new HashMap<>();
    private Optional<Map<SystemId, String>> stored = Optional.empty();

    /// @param configured names of all sources
    SameCluster(Collection<String> configured) {
        this.configured = List.copyOf(configured);
    }

    /// @param system what the source's server says it is
    List<Finding> look(String name, SystemId system, Optional<Repository> repository) {
        Optional<String> other =
                Optional.ofNullable(answered.putIfAbsent(system, name))
                        .or(
                                () ->
                                        repository.flatMap(
                                                open ->
                                                        Optional.ofNullable(
                                                                stored(open).get(system))))
                        .filter(found -> !found.equals(name));
        return other.map(
                        found ->
                                List.of(
                                        Finding.error(
                                                ID,
                                                "sources "
                                                        + found
                                                        + " and "
                                                        + name
                                                        + " are one cluster (system "
                                                        + system
                                                        + "): its WAL is stored for one of them,"
                                                        + " and what is done for the other fails"
                                                        + " (MS-0302)",
                                                TODO)))
                .orElseGet(
                        () ->
                                List.of(
                                        Finding.ok(
                                                ID,
                                                "no other source is of this cluster, system "
                                                        + system)));
    }

    /// Which of the configured sources the newest backups are of. One that is not configured any
    /// more stands in nobody's way: what it stored of the log is not stored again.
    private Map<SystemId, String> stored(Repository repository) {
        if (stored.isEmpty()) {
            Map<SystemId, String> found = new HashMap<>();
            for (String each : configured) {
                repository
                        .source(each)
                        .map(source -> source.backups())
                        .filter(backups -> !backups.isEmpty())
                        .map(List::getLast)
                        .flatMap(SameCluster::system)
                        .ifPresent(system -> found.putIfAbsent(system, each));
            }
            stored = Optional.of(found);
        }
        return stored.get();
    }

    private static Optional<SystemId> system(CommittedBackup backup) {
        return BackupDetails.find(backup).map(BackupDetails::systemId);
    }

    /// What the configuration tells by itself: sources that name one server, or one directory.
    ///
    /// @return a sentence each
    public static List<String> told(Surroundings surroundings) {
        Map<String, String> places = new LinkedHashMap<>();
        List<String> told = new ArrayList<>();
        surroundings
                .configuration()
                .sources()
                .forEach(
                        (name, source) -> {
                            for (String place : places(surroundings, source.postgres())) {
                                String other = places.putIfAbsent(place, name);
                                if (other != null) {
                                    told.add(
                                            "sources "
                                                    + other
                                                    + " and "
                                                    + name
                                                    + " both name "
                                                    + place
                                                    + " and so are one cluster, whose WAL is stored"
                                                    + " for one of them only: "
                                                    + TODO);
                                }
                            }
                        });
        return told;
    }

    private static Set<String> places(Surroundings surroundings, PostgresSettings settings) {
        Set<String> places = new HashSet<>();
        place(surroundings, settings, places);
        settings.standby().map(settings::of).ifPresent(there -> place(surroundings, there, places));
        return places;
    }

    private static void place(
            Surroundings surroundings, PostgresSettings settings, Set<String> places) {
        settings.dataDirectory()
                .map(Path::normalize)
                .ifPresent(directory -> places.add("data-directory " + directory));
        try {
            ConnectionSpec spec = surroundings.connection(settings);
            spec.hosts().forEach(host -> places.add("server " + host));
        } catch (MainstayException unusable) {
            // said by whoever connects
        }
    }
}
