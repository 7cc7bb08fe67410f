package dev.mainstay.engine.retention;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.SourceId;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.postgres.wal.TimelineHistory;
import dev.mainstay.repository.WalStretches;

import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// A case of retention as a text that people can check: policy, now, holds, branches of timelines,
/// segments that are stored, and a table of backups, oldest first, with what becomes of each after
/// the bar. Positions of WAL are in MiB, as large as a segment is.
final class RetentionTable {
    private static final long MIB = 1 << 20;
    private static final SourceId SOURCE = SourceId.of(new byte[16]);

    private RetentionPolicy policy = RetentionPolicy.everything();
    private Instant now = Instant.EPOCH;
    private final Map<String, RetainedBackup> backups = new LinkedHashMap<>();
    private final Map<BackupId, List<String>> held = new HashMap<>();
    private final Map<SystemId, List<TimelineHistory>> histories = new HashMap<>();
    private final Map<TimelineId, BitSet> stored = new TreeMap<>();
    private final List<String> given = new ArrayList<>();

    static RetentionPolicy policy(String yaml) {
        return new ConfigurationReader(Map.of())
                .parse(
                        "test",
                        """
                        repository: { url: file:///r, encryption: none }
                        sources:
                          a: { postgres: { url: postgresql://h }, retention: %s }
                        """
                                .formatted(yaml),
                        Path.of("/"))
                .source("a")
                .retention();
    }

    static RetentionTable read(String text) {
        RetentionTable table = new RetentionTable();
        for (String line : text.lines().toList()) {
            String input = line.split("\\|", 2)[0].stripTrailing();
            if (line.startsWith("window:")
                    || line.startsWith("wal:")
                    || line.startsWith("frees:")) {
                continue;
            }
            table.given.add(input);
            if (!input.isEmpty() && !input.startsWith("#")) {
                table.line(input);
            }
        }
        return table;
    }

    private void line(String line) {
        String[] words = line.split("\\s+");
        switch (words[0]) {
            case "policy:" -> policy = policy(line.substring(7).strip());
            case "keep:" -> policy = keep(words).of(policy);
            case "now:" -> now = Instant.parse(words[1]);
            case "hold:" -> {
                String why = line.substring(line.indexOf(words[1]) + words[1].length()).strip();
                held.put(backup(words[1]).id(), List.of("held: " + why));
            }
            case "branch:" -> branch(words);
            case "stored:" -> stored(words);
            default -> add(words);
        }
    }

    /// `keep: monthly yearly 2d`
    private static CopyKeep keep(String[] words) {
        Set<String> periods = new TreeSet<>(List.of(words).subList(1, words.length));
        OptionalInt days = OptionalInt.empty();
        for (String word : List.copyOf(periods)) {
            if (word.endsWith("d")) {
                days = OptionalInt.of(Integer.parseInt(word.substring(0, word.length() - 1)));
                periods.remove(word);
            }
        }
        return new CopyKeep(periods, days);
    }

    /// `branch: 2 from 1 at 150`
    private void branch(String[] words) {
        SystemId system = SystemId.of(1);
        TimelineId parent = TimelineId.of(Integer.parseInt(words[3]));
        TimelineHistory of =
                histories.getOrDefault(system, List.of()).stream()
                        .filter(each -> each.timeline().equals(parent))
                        .findFirst()
                        .orElse(TimelineHistory.first(parent));
        histories
                .computeIfAbsent(system, _ -> new ArrayList<>())
                .add(
                        of.branch(
                                TimelineId.of(Integer.parseInt(words[1])),
                                Lsn.of(Long.parseLong(words[5]) * MIB),
                                "test"));
    }

    /// `stored: 1 from 4 to 50`, both of them included
    private void stored(String[] words) {
        stored.computeIfAbsent(TimelineId.of(Integer.parseInt(words[1])), _ -> new BitSet())
                .set(Integer.parseInt(words[3]), Integer.parseInt(words[5]) + 1);
    }

    private void add(String[] words) {
        String[] range = words[3].split("-", -1);
        List<String> flags = List.of(words).subList(4, words.length);
        int timeline = 1;
        long system = 1;
        for (String flag : flags) {
            timeline = flag.startsWith("tl") ? Integer.parseInt(flag.substring(2)) : timeline;
            system = flag.startsWith("sys") ? Long.parseLong(flag.substring(3)) : system;
        }
        int number = backups.size();
        backups.put(
                words[0],
                new RetainedBackup(
                        BackupId.of(Instant.EPOCH, new byte[] {0, 0, 0, (byte) number}),
                        SystemId.of(system),
                        TimelineId.of(timeline),
                        words[1].equals("incr"),
                        !flags.contains("damaged"),
                        Instant.parse(words[2]),
                        Lsn.of(Long.parseLong(range[0]) * MIB),
                        Lsn.of(Long.parseLong(range[1]) * MIB)));
    }

    private RetainedBackup backup(String name) {
        RetainedBackup found = backups.get(name);
        if (found == null) {
            throw new IllegalArgumentException("no backup " + name);
        }
        return found;
    }

    private String name(RetainedBackup backup) {
        return backups.entrySet().stream()
                .filter(each -> each.getValue().equals(backup))
                .findFirst()
                .orElseThrow()
                .getKey();
    }

    /// The same text with what was decided.
    String decided() {
        RetentionRule rule =
                new RetentionRule(
                        List.copyOf(backups.values()), policy, new Lineage(histories), now);
        RetentionRule.Outcome outcome = rule.decide(held);
        Map<String, RetentionDecision> byName = new HashMap<>();
        outcome.decisions().forEach(each -> byName.put(name(each.backup()), each));
        int width = given.stream().filter(this::isBackup).mapToInt(String::length).max().orElse(0);
        StringBuilder text = new StringBuilder();
        for (String line : given) {
            text.append(line);
            RetentionDecision decision = byName.get(line.split("\\s+", -1)[0]);
            if (decision != null) {
                text.append(" ".repeat(width - line.length()))
                        .append(decision.keep() ? " | stays: " : " | GOES: ")
                        .append(String.join("; ", decision.reasons()));
            }
            text.append('\n');
        }
        for (RecoveryWindow each : rule.windows(outcome.kept(), (_, _) -> true)) {
            text.append(
                    "window: cluster %s, timeline %s from the end of %s%n"
                            .formatted(each.system(), each.timeline(), name(each.from())));
        }
        for (WalNeed each : outcome.needs()) {
            text.append(
                    "wal: cluster %s since %d"
                            .formatted(each.system(), each.since().value() / MIB));
            if (!each.older().isEmpty()) {
                text.append(", and what makes these consistent: ")
                        .append(
                                each.older().stream()
                                        .map(this::name)
                                        .collect(Collectors.joining(", ")));
            }
            text.append('\n');
        }
        outcome.needs().forEach(each -> frees(each, text));
        return text.toString();
    }

    private void frees(WalNeed need, StringBuilder text) {
        WalStretches free = WalStretches.none();
        StoredWal.of(stored, (int) MIB)
                .unneeded(need)
                .forEach(each -> free.add(SOURCE, need.system(), each));
        free.stretches()
                .forEach(
                        each ->
                                text.append(
                                        "frees: cluster %s, timeline %s from %d to %d%n"
                                                .formatted(
                                                        each.system(),
                                                        each.first().timeline(),
                                                        each.first().number(),
                                                        each.last().number())));
    }

    private boolean isBackup(String line) {
        return backups.containsKey(line.split("\\s+", -1)[0]);
    }
}
