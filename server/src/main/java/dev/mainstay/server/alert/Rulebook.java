package dev.mainstay.server.alert;

import dev.mainstay.engine.config.AlertSettings;
import dev.mainstay.server.metrics.Facts;
import dev.mainstay.server.metrics.SourceFacts;

import java.time.Instant;
import java.util.function.Supplier;

/// All rules. They judge what they are given, and nothing else.
public final class Rulebook {
    private final Supplier<AlertSettings> settings;
    private final Supplier<Rhythm> rhythm;

    public Rulebook(Supplier<AlertSettings> settings, Supplier<Rhythm> rhythm) {
        this.settings = settings;
        this.rhythm = rhythm;
    }

    public Verdict judge(Facts facts, Instant now) {
        Bench bench = new Bench(facts, settings.get(), now);
        Rhythm beats = rhythm.get();
        BackupRules backups = new BackupRules(bench, beats);
        WalRules wal = new WalRules(bench);
        ServerRules servers = new ServerRules(bench);
        for (SourceFacts source : facts.sources().values()) {
            backups.look(source);
            wal.look(source);
            servers.look(source);
        }
        new StorageRules(bench, beats).look();
        servers.look(facts.repository());
        servers.look(facts.host());
        return bench.verdict();
    }
}
