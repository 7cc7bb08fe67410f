package dev.mainstay.cli;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.retention.RepositoryUsage;
import dev.mainstay.repository.Amount;
import dev.mainstay.repository.Repository;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;

/// `mainstay usage [--quota SIZE] [--from COPY]`
@Command(
        name = "usage",
        footer = {
            "",
            "'alone' is what only that backup needs: about what 'expire' and 'prune' free if it"
                    + " goes.",
            "'compression' is bytes of pages for each stored byte, 'sharing' how many times each"
                    + " stored",
            "byte serves a backup. The growth is that of the last four weeks."
        })
final class UsageCommand implements Verb {
    @Option(
            names = "--quota",
            paramLabel = "SIZE",
            description = "what the repository may hold, such as 2TiB: says when it is full")
    private Optional<String> quota = Optional.empty();

    @Mixin private FromOption from = new FromOption();

    @Mixin private ServerOption server = new ServerOption();

    @Override
    public Document run(Session session) {
        Optional<ByteSize> limit = quota.map(UsageCommand::size);
        if (server.isGiven()) {
            return server.without("--from or --as-of", from.isAnyGiven())
                    .ask(
                            session,
                            ServerOption.STOPPED,
                            remote -> document(RemoteFacts.usage(remote.get("usage")), limit));
        }
        from.apply(session);
        try (Repository repository = OpenSource.repository(session)) {
            return document(RepositoryUsage.read(repository, session.clock().instant()), limit);
        }
    }

    private static ByteSize size(String text) {
        try {
            return ByteSize.parse(text);
        } catch (IllegalArgumentException wrong) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID,
                    "--quota " + text + " is no size",
                    "write it as in 500GiB or 2TiB",
                    wrong);
        }
    }

    static Document document(RepositoryUsage usage, Optional<ByteSize> quota) {
        Document document =
                Document.of(
                                ByteSize.of(usage.total().bytes())
                                        + " in "
                                        + usage.total().objects()
                                        + " objects")
                        .add("size", ByteSize.of(usage.total().bytes()))
                        .add("objects", usage.total().objects())
                        .add("unneededPacks", ByteSize.of(usage.unneeded().bytes()))
                        .add("growthAWeek", usage.weeklyBytes().map(ByteSize::of));
        if (quota.isPresent()) {
            document.add("quota", quota.get()).add("fullIn", usage.untilFull(quota.get().bytes()));
        }
        return document.add("kinds", kinds(usage.kinds()))
                .add("sources", sources(usage))
                .add("backups", backups(usage));
    }

    private static Table kinds(Map<String, Amount> kinds) {
        Table table = Table.of("kind", "objects", "size");
        new TreeMap<>(kinds)
                .forEach(
                        (kind, amount) ->
                                table.row(kind, amount.objects(), ByteSize.of(amount.bytes())));
        return table;
    }

    private static Table sources(RepositoryUsage usage) {
        Table table =
                Table.of("source", "backups", "logical", "packs", "wal", "compression", "sharing");
        for (RepositoryUsage.OfSource source : usage.sources()) {
            table.row(
                    source.name(),
                    source.backups(),
                    ByteSize.of(source.logicalBytes()),
                    ByteSize.of(source.packs().bytes()),
                    ByteSize.of(source.wal().bytes()),
                    optional(source.compression()),
                    optional(source.sharing()));
        }
        return table;
    }

    private static Optional<Double> optional(OptionalDouble number) {
        return number.isPresent() ? Optional.of(number.getAsDouble()) : Optional.empty();
    }

    private static Table backups(RepositoryUsage usage) {
        Table table = Table.of("source", "backup", "type", "ended", "logical", "stored", "alone");
        for (RepositoryUsage.OfBackup backup : usage.backups()) {
            table.row(
                    backup.source(),
                    backup.id(),
                    backup.type(),
                    backup.end(),
                    ByteSize.of(backup.logicalBytes()),
                    ByteSize.of(backup.storedBytes()),
                    ByteSize.of(backup.alone().bytes()));
        }
        return table;
    }
}
