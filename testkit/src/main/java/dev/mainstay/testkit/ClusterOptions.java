package dev.mainstay.testkit;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// How a [TestCluster] is made. Every `with` returns a changed copy.
///
/// @param checksums of data pages
/// @param walSegmentMib 1 to 1024, a power of two
/// @param settings appended to postgresql.conf
/// @param password of the superuser; then every connection authenticates by SCRAM, else none does
/// @param initdbArguments more of them
public record ClusterOptions(
        boolean checksums,
        int walSegmentMib,
        Map<String, String> settings,
        Optional<String> password,
        List<String> initdbArguments) {
    public ClusterOptions {
        settings = Map.copyOf(settings);
        initdbArguments = List.copyOf(initdbArguments);
    }

    /// Checksums, 16 MiB segments, no passwords, little memory, and no fsync: the kernel survives
    /// every crash that tests cause.
    public static ClusterOptions standard() {
        return new ClusterOptions(
                true,
                16,
                Map.of(
                        "fsync", "off",
                        "shared_buffers", "16MB",
                        "max_connections", "50",
                        "max_wal_senders", "10",
                        "log_line_prefix", "%m [%p] ",
                        "timezone", "UTC"),
                Optional.empty(),
                List.of());
    }

    /// No settings at all, for a data directory that has its own ([TestCluster#adopt]).
    public static ClusterOptions bare() {
        return new ClusterOptions(true, 16, Map.of(), Optional.empty(), List.of());
    }

    public ClusterOptions withoutChecksums() {
        return new ClusterOptions(false, walSegmentMib, settings, password, initdbArguments);
    }

    public ClusterOptions withWalSegmentMib(int mib) {
        return new ClusterOptions(checksums, mib, settings, password, initdbArguments);
    }

    public ClusterOptions with(String setting, String value) {
        Map<String, String> all = new TreeMap<>(settings);
        all.put(setting, value);
        return new ClusterOptions(checksums, walSegmentMib, all, password, initdbArguments);
    }

    public ClusterOptions withScram(String superuserPassword) {
        return new ClusterOptions(
                checksums,
                walSegmentMib,
                settings,
                Optional.of(superuserPassword),
                initdbArguments);
    }

    public ClusterOptions withInitdbArgument(String argument) {
        List<String> all = new ArrayList<>(initdbArguments);
        all.add(argument);
        return new ClusterOptions(checksums, walSegmentMib, settings, password, all);
    }
}
