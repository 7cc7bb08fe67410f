package dev.mainstay.server.confirm;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.backup.FoundBackup;
import dev.mainstay.engine.retention.ExpiryPlan;
import dev.mainstay.engine.retention.RetentionDecision;
import dev.mainstay.engine.retention.SourceExpiry;
import dev.mainstay.repository.Hold;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Prune;
import dev.mainstay.repository.Repository;
import dev.mainstay.server.job.EngineWork;
import dev.mainstay.server.job.RestoreWork;
import dev.mainstay.server.security.Role;
import dev.mainstay.server.view.RepositoryView;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/// Looks what requests would destroy: in the repository and the directories as they are now, not
/// as they are remembered. Changes nothing.
public final class Dangers {
    private static final String HOLDS = "holds";
    private static final int NAMED = 50;

    private final RepositoryView view;
    private final Surroundings surroundings;

    public Dangers(RepositoryView view, Surroundings surroundings) {
        this.view = view;
        this.surroundings = surroundings;
    }

    /// Of one source.
    ///
    /// @throws MainstayException SOURCE_UNKNOWN if the configuration has none of this name, or why
    ///   it cannot be told
    public Danger expire(String source) {
        String name = surroundings.configuration().source(source).name();
        return expire(name, name, List.of(name));
    }

    /// Of every source of the configuration. What is bound are the backups, by source.
    public Danger expireAll() {
        return expire("", "", surroundings.configuration().sources().keySet());
    }

    private Danger expire(String target, String source, Collection<String> names) {
        Map<String, String> bound = new TreeMap<>();
        List<String> words = new ArrayList<>();
        for (String name : names) {
            List<RetentionDecision> going =
                    stored(name).map(this::plan).map(ExpiryPlan::removed).orElse(List.of());
            bound.put(
                    name,
                    String.join(
                            " ", going.stream().map(each -> each.backup().id().text()).toList()));
            going.forEach(each -> words.add(words(name, each)));
        }
        return new Danger(
                Danger.Action.EXPIRE, target, source, Role.OPERATOR, bound, shortened(words));
    }

    private Optional<ProtectedSource> stored(String name) {
        Repository repository = view.repository();
        return repository.shredded().stream().anyMatch(gone -> gone.name().equals(name))
                ? Optional.empty()
                : repository.source(name);
    }

    private ExpiryPlan plan(ProtectedSource source) {
        return new SourceExpiry(
                        source,
                        surroundings.configuration().source(source.name()).retention(),
                        surroundings.ground().clock().instant())
                .plan();
    }

    private static String words(String source, RetentionDecision going) {
        return "backup "
                + going.backup().id()
                + " of "
                + source
                + " ("
                + (going.backup().incremental() ? "incremental" : "full")
                + ", ended "
                + going.backup().end()
                + ") is removed: "
                + String.join("; ", going.reasons());
    }

    private static List<String> shortened(List<String> words) {
        List<String> lines =
                new ArrayList<>(
                        words.stream()
                                .limit(NAMED)
                                .map(each -> each.replaceAll("\\R", " "))
                                .toList());
        if (words.size() > NAMED) {
            lines.add("and " + (words.size() - NAMED) + " others");
        }
        return lines;
    }

    /// What nothing refers to is different every time somebody looks. What decides about it is
    /// bound: the policies.
    public Danger prune() {
        Map<String, String> bound = new HashMap<>();
        surroundings
                .configuration()
                .sources()
                .forEach((name, source) -> bound.put(name, source.retention().toString()));
        Prune.Report plan = EngineWork.prune(surroundings, view.repository(), _ -> {}).plan();
        return new Danger(
                Danger.Action.PRUNE,
                "",
                "",
                Role.OPERATOR,
                bound,
                List.of(
                        plan.removed().count()
                                + " packs ("
                                + plan.removed().size()
                                + ") that no backup refers to and "
                                + plan.wal().freed()
                                + " WAL segments ("
                                + plan.wal().size()
                                + ") that no recovery window needs are removed for good, and what"
                                + " comes to be so until then"));
    }

    /// @throws MainstayException BACKUP_UNKNOWN, also if nobody holds it
    public Danger release(FoundBackup found) {
        String id = found.backup().id().text();
        String source = found.source().name();
        Hold hold =
                Optional.ofNullable(found.source().records().holds().get(found.backup().id()))
                        .orElseThrow(
                                () ->
                                        new MainstayException(
                                                ErrorCode.BACKUP_UNKNOWN,
                                                "backup " + id + " is not held"));
        return new Danger(
                Danger.Action.RELEASE,
                id,
                source,
                Role.OPERATOR,
                Map.of(HOLDS, String.join(" ", hold.records().stream().sorted().toList())),
                shortened(
                        List.of(
                                "backup "
                                        + id
                                        + " of "
                                        + source
                                        + " is not held any more ("
                                        + hold.reason()
                                        + "), and the next expiry may remove it")));
    }

    /// Records of the holds that a release would end.
    public static Set<String> holds(Danger release) {
        return Set.of(release.bound().getOrDefault(HOLDS, "").split(" ", -1));
    }

    /// @param parameters with [RestoreWork#IN_PLACE]; what is bound is them and the backup
    /// @throws MainstayException why that restore is not possible
    public Danger restore(ProtectedSource source, Map<String, String> parameters) {
        RestoreWork.Outlook outlook = new RestoreWork(surroundings).plan(source, parameters);
        Map<String, String> bound = new HashMap<>(parameters);
        bound.put(RestoreWork.BACKUP, outlook.plan().backup().id().text());
        List<String> words = new ArrayList<>();
        outlook.lost().ifPresent(words::add);
        return new Danger(
                Danger.Action.RESTORE,
                outlook.plan().request().directory().toString(),
                source.name(),
                Role.ADMINISTRATOR,
                bound,
                words);
    }
}
