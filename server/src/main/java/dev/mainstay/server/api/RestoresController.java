package dev.mainstay.server.api;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.restore.DeltaRestore;
import dev.mainstay.engine.restore.RestorePlan;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.server.confirm.Confirmations;
import dev.mainstay.server.confirm.Danger;
import dev.mainstay.server.confirm.Dangers;
import dev.mainstay.server.job.JobKind;
import dev.mainstay.server.job.JobRequest;
import dev.mainstay.server.job.OnceDesk;
import dev.mainstay.server.job.RestoreWork;
import dev.mainstay.server.security.Caller;
import dev.mainstay.server.security.Grants;
import dev.mainstay.server.security.LeastRole;
import dev.mainstay.server.security.Role;
import dev.mainstay.server.security.SourceGrant;
import dev.mainstay.server.view.RepositoryView;

import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Schema;

import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

import java.security.Principal;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// `/api/v1/restores`
@RestController
public final class RestoresController {
    private final RepositoryView view;
    private final RestoreWork work;
    private final OnceDesk desk;
    private final Dangers dangers;
    private final Confirmations confirmations;

    public RestoresController(
            RepositoryView view,
            OnceDesk desk,
            Surroundings surroundings,
            Dangers dangers,
            Confirmations confirmations) {
        this.view = view;
        this.work = new RestoreWork(surroundings);
        this.desk = desk;
        this.dangers = dangers;
        this.confirmations = confirmations;
    }

    /// What is wanted; one of the targets at most, the latest state without any.
    ///
    /// @param directory absolute, on the server's host; new or empty, unless inPlace is given
    /// @param inPlace what becomes of the stopped cluster in directory: delta (what differs is
    ///   rewritten, what the backup does not have is removed) or keep-previous (it is set aside);
    ///   has to be confirmed
    /// @param backup left out, the newest before the target
    /// @param target immediate or latest
    /// @param timeline latest, current or a number
    /// @param targetAction what the server does at the target: pause, promote or shutdown
    /// @param tablespaces where those go that shall not go where they were: old to new directory
    @Schema(name = "RestoreWanted")
    public record Wanted(
            @Nullable String source,
            @Nullable String directory,
            @Nullable String inPlace,
            @Nullable String backup,
            @Nullable String targetTime,
            @Nullable String targetLsn,
            @Nullable String targetXid,
            @Nullable String targetName,
            @Nullable String target,
            @Nullable Boolean exclusive,
            @Nullable String timeline,
            @Nullable String targetAction,
            @Nullable Map<String, @Nullable String> tablespaces) {
        Map<String, String> parameters() {
            Map<String, String> parameters = new HashMap<>();
            put(parameters, RestoreWork.DIRECTORY, directory);
            put(parameters, RestoreWork.IN_PLACE, inPlace);
            put(parameters, RestoreWork.BACKUP, backup);
            put(parameters, "target-time", targetTime);
            put(parameters, "target-lsn", targetLsn);
            put(parameters, "target-xid", targetXid);
            put(parameters, "target-name", targetName);
            put(parameters, RestoreWork.TARGET, target);
            put(parameters, RestoreWork.TIMELINE, timeline);
            put(parameters, RestoreWork.ACTION, targetAction);
            if (Boolean.TRUE.equals(exclusive)) {
                parameters.put(RestoreWork.EXCLUSIVE, "true");
            }
            if (tablespaces != null) {
                tablespaces.forEach(
                        (from, to) -> put(parameters, RestoreWork.TABLESPACE + from, to));
            }
            return parameters;
        }

        private static void put(
                Map<String, String> parameters, String name, @Nullable String value) {
            if (value != null) {
                parameters.put(name, value);
            }
        }
    }

    @Schema(name = "RestoredTablespace")
    record Tablespace(String from, String to) {}

    /// What of the cluster in the directory would go.
    ///
    /// @param removes the first of the files
    /// @param leftAlone what an operator should know
    @Schema(name = "RestoredInPlace")
    record InPlace(
            long filesToRemove,
            long directoriesToRemove,
            List<String> removes,
            List<String> leftAlone) {
        static InPlace of(DeltaRestore.Outlook outlook) {
            return new InPlace(
                    outlook.filesRemoved(),
                    outlook.directoriesRemoved(),
                    outlook.removedNames(),
                    outlook.notes());
        }
    }

    /// @param endLsn where replay stops
    /// @param endTime of what decides where replay stops
    /// @param proof why the target is sure to be reached
    /// @param inPlace with delta
    /// @param keepsPrevious whether a cluster is there that would be set aside
    /// @param lost what would not be there any more, of a restore in place
    @Schema(name = "RestorePlan")
    record Plan(
            String source,
            String backup,
            String directory,
            String target,
            String timeline,
            String endLsn,
            @Nullable Instant endTime,
            long files,
            long sizeBytes,
            String walFirst,
            String walLast,
            long walSegments,
            String proof,
            List<Tablespace> tablespaces,
            List<String> warnings,
            @Nullable InPlace inPlace,
            boolean keepsPrevious,
            @Nullable String lost) {
        static Plan of(String source, RestoreWork.Outlook outlook) {
            RestorePlan plan = outlook.plan();
            return new Plan(
                    source,
                    plan.backup().id().text(),
                    plan.request().directory().toString(),
                    plan.request().recovery().target().toString(),
                    plan.replay().timelineSetting(),
                    plan.replay().end().toString(),
                    plan.replay().time().orElse(null),
                    plan.volume().files(),
                    plan.volume().size().bytes(),
                    plan.replay().first().toString(),
                    plan.replay().last().toString(),
                    plan.replay().segments(),
                    plan.proof(),
                    plan.tablespaces().stream()
                            .map(each -> new Tablespace(each.from(), each.to().toString()))
                            .toList(),
                    plan.warnings(),
                    outlook.delta().map(InPlace::of).orElse(null),
                    outlook.previous().isPresent(),
                    outlook.lost().orElse(null));
        }
    }

    @PostMapping("/api/v1/restores/plan")
    @LeastRole(Role.ADMINISTRATOR)
    @SourceGrant
    @Operation(summary = "whether a restore is possible, and what it would do; does nothing")
    Plan plan(@RequestBody Wanted wanted) {
        return Plan.of(source(wanted), planned(wanted));
    }

    @PostMapping("/api/v1/restores")
    @LeastRole(Role.ADMINISTRATOR)
    @SourceGrant
    @ResponseStatus(HttpStatus.ACCEPTED)
    @Operation(
            summary =
                    "queues a restore into a directory of the server's host; one in place has to be"
                            + " confirmed")
    public Object start(
            @RequestBody Wanted wanted,
            @RequestHeader("Idempotency-Key") Optional<String> key,
            @RequestHeader("Confirmation-Token") Optional<String> confirmation,
            Principal who) {
        JobRequest request = request(JobKind.RESTORE, wanted, who);
        return JobsController.View.of(
                desk.submit(request, key, () -> admitted(request, confirmation)));
    }

    @PostMapping("/api/v1/restores/validate")
    @LeastRole(Role.ADMINISTRATOR)
    @SourceGrant
    @ResponseStatus(HttpStatus.ACCEPTED)
    @Operation(
            summary =
                    "queues a job that reads and proves everything a restore would need, and writes"
                            + " nothing; inPlace changes nothing")
    Object validate(
            @RequestBody Wanted wanted,
            @RequestHeader("Idempotency-Key") Optional<String> key,
            Principal who) {
        JobRequest request = request(JobKind.VALIDATE_RESTORE, wanted, who);
        return JobsController.View.of(
                desk.submit(
                        request,
                        key,
                        () -> {
                            work.possible(view.known(request.target()), request.parameters());
                            return new OnceDesk.Admitted(request, () -> {});
                        }));
    }

    private static JobRequest request(JobKind kind, Wanted wanted, Principal who) {
        return new JobRequest(kind, source(wanted), wanted.parameters(), who.getName());
    }

    /// Refused now, or only what was confirmed is done.
    private OnceDesk.Admitted admitted(JobRequest request, Optional<String> confirmation) {
        ProtectedSource source = view.known(request.target());
        if (!request.parameters().containsKey(RestoreWork.IN_PLACE)) {
            work.plan(source, request.parameters());
            return new OnceDesk.Admitted(request, () -> {});
        }
        Danger danger = dangers.restore(source, request.parameters());
        Runnable use = confirmations.admit(danger, confirmation, Caller.current());
        Map<String, String> parameters = new HashMap<>(danger.bound());
        if (danger.isNone()) {
            parameters.remove(RestoreWork.IN_PLACE); // and if there is something then, it is left
        }
        return new OnceDesk.Admitted(
                new JobRequest(
                        request.kind(), request.target(), parameters, request.requestedBy()),
                use);
    }

    private RestoreWork.Outlook planned(Wanted wanted) {
        return work.plan(view.known(source(wanted)), wanted.parameters());
    }

    /// What whoever asks may restore.
    static String source(Wanted wanted) {
        String source =
                Optional.ofNullable(wanted.source())
                .filter(name -> !name.isBlank())
                .orElseThrow(
                        () ->
                                new MainstayException(
                                        ErrorCode.USAGE_INVALID, "source names what to restore"));
        Grants.demand(source);
        return source;
    }
}
