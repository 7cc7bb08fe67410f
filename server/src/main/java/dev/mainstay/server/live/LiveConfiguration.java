package dev.mainstay.server.live;

import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.config.Configuration;
import dev.mainstay.engine.config.ReportSettings;
import dev.mainstay.engine.config.ScheduleSettings;
import dev.mainstay.engine.config.ServerSettings;
import dev.mainstay.engine.config.SourceSettings;
import dev.mainstay.engine.config.WatchSettings;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/// What a running server goes by. Another configuration is taken as a whole or not at all; what it
/// says of things that are settled at the start stays as it was, and is named.
public final class LiveConfiguration implements Supplier<Configuration> {
    private record Part(String name, Function<Configuration, Object> of) {}

    /// What a restart takes: addresses, the state, who is let in, and the repository, which many
    /// hold open.
    private static final List<Part> SETTLED =
            List.of(
                    new Part("repository", Configuration::repository),
                    server("listen", each -> each.host() + " " + each.port()),
                    server("tls", ServerSettings::tls),
                    server("insecure-http", ServerSettings::insecureHttp),
                    server("state", ServerSettings::state),
                    server("health-details", ServerSettings::healthDetails),
                    server("metrics", each -> each.watch().metricsArePublic()),
                    server("oidc", ServerSettings::oidc),
                    server("limits", ServerSettings::limits),
                    server("log", ServerSettings::log),
                    server("tracing", ServerSettings::tracing));

    private static final List<Part> FOLLOWED =
            List.of(
                    new Part("copies", Configuration::copies),
                    new Part("verify", Configuration::verify),
                    new Part("prune", Configuration::prune),
                    server("schedules", each -> anywhere(each.schedules())),
                    server("alerts", each -> each.watch().alerts()),
                    server("notifications", each -> each.watch().notifications()),
                    server(
                            "reports",
                            each -> {
                                ReportSettings report = each.watch().report();
                                return List.of(report.cron(), report.zone(), report.to());
                            }),
                    server("confirmations", ServerSettings::confirmations),
                    server("jobs", ServerSettings::retry),
                    server("history", ServerSettings::history));

    private final Supplier<Configuration> file;
    private final Consumer<Configuration> check;
    private volatile Configuration now;
    private volatile Optional<String> refusal = Optional.empty();

    /// What became of another configuration.
    ///
    /// @param changed what is otherwise from now on
    /// @param needRestart what is otherwise in the file, and is as before until the server starts
    ///   again
    public record Taken(List<String> changed, List<String> needRestart) {}

    /// @param first as the server starts with it
    /// @param file reads it again
    /// @param check whether a server could start by it, as far as it can tell
    public LiveConfiguration(
            Configuration first, Supplier<Configuration> file, Consumer<Configuration> check) {
        this.now = first;
        this.file = file;
        this.check = check;
    }

    private static Part server(String name, Function<ServerSettings, Object> of) {
        return new Part("server." + name, each -> of.apply(each.server()));
    }

    @Override
    public Configuration get() {
        return now;
    }

    /// Why the file could not be used when it was read last, if it could not.
    public Optional<String> refusal() {
        return refusal;
    }

    /// Reads the file again and goes by it from now on.
    ///
    /// @throws MainstayException all that is wrong with it; then nothing is changed
    public synchronized Taken reload() {
        Configuration before = now;
        Configuration next;
        try {
            next = file.get();
            check.accept(next);
        } catch (MainstayException wrong) {
            refusal = Optional.of(wrong.code().id() + ": " + wrong.getMessage());
            throw wrong;
        }
        List<String> changed = new ArrayList<>(different(FOLLOWED, before, next));
        changed.addAll(differentSources(before, next));
        now = merged(before, next);
        refusal = Optional.empty();
        return new Taken(changed, different(SETTLED, before, next));
    }

    private static List<String> different(
            List<Part> parts, Configuration before, Configuration next) {
        return parts.stream()
                .filter(part -> !Objects.equals(part.of.apply(before), part.of.apply(next)))
                .map(Part::name)
                .toList();
    }

    private static List<String> differentSources(Configuration before, Configuration next) {
        TreeSet<String> names = new TreeSet<>(before.sources().keySet());
        names.addAll(next.sources().keySet());
        return names.stream()
                .filter(
                        name ->
                                !Objects.equals(
                                        anywhere(before.sources().get(name)),
                                        anywhere(next.sources().get(name))))
                .map(name -> "sources." + name)
                .toList();
    }

    /// What moved in the file is no other.
    private static List<ScheduleSettings> anywhere(List<ScheduleSettings> schedules) {
        return schedules.stream().map(ScheduleSettings::anywhere).toList();
    }

    private static Optional<SourceSettings> anywhere(@Nullable SourceSettings source) {
        return Optional.ofNullable(source)
                .map(
                        each ->
                                new SourceSettings(
                                        each.name(),
                                        each.postgres(),
                                        each.restore(),
                                        each.retention(),
                                        anywhere(each.schedules()),
                                        each.onChange()));
    }

    private static Configuration merged(Configuration before, Configuration next) {
        ServerSettings old = before.server();
        ServerSettings fresh = next.server();
        WatchSettings watch = fresh.watch();
        ServerSettings server =
                new ServerSettings(
                        old.host(),
                        old.port(),
                        old.tls(),
                        old.insecureHttp(),
                        old.state(),
                        fresh.schedules(),
                        old.healthDetails(),
                        new WatchSettings(
                                old.watch().metricsArePublic(),
                                watch.alerts(),
                                watch.notifications(),
                                watch.report()),
                        old.oidc(),
                        old.limits(),
                        fresh.confirmations(),
                        fresh.retry(),
                        old.log(),
                        fresh.history(),
                        old.tracing());
        return new Configuration(
                next.origin(),
                before.repository(),
                next.copies(),
                next.sources(),
                next.verify(),
                next.prune(),
                server,
                next.warnings());
    }
}
