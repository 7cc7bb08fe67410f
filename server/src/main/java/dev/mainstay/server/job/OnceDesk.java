package dev.mainstay.server.job;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.Bytes;
import dev.mainstay.server.state.JsonMap;
import dev.mainstay.server.state.SqlTime;

import org.springframework.dao.DuplicateKeyException;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionOperations;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/// Where jobs are handed in by those who may ask twice: the same key starts the same job once,
/// whichever servers are asked. The key and the job are written together or not at all.
public final class OnceDesk {
    private static final Duration KEPT = Duration.ofHours(24);
    private static final Pattern KEY = Pattern.compile("[\\x21-\\x7e]{1,255}");

    private final JobDesk desk;
    private final JobTable table;
    private final JdbcClient jdbc;
    private final TransactionOperations transactions;
    private final InstantSource clock;

    public OnceDesk(
            JobDesk desk,
            JobTable table,
            JdbcClient jdbc,
            TransactionOperations transactions,
            InstantSource clock) {
        this.desk = desk;
        this.table = table;
        this.jdbc = jdbc;
        this.transactions = transactions;
        this.clock = clock;
    }

    private record Known(String digest, String job) {}

    /// What is to be done about a request, once it is known to be a new one.
    ///
    /// @param request the job
    /// @param first what has to be done with it, or neither is
    public record Admitted(JobRequest request, Runnable first) {}

    /// @param key of the request; without one every request is a new one
    /// @throws MainstayException KEY_REUSED if it stands for another request, USAGE_INVALID if it
    ///   is none, or what [JobDesk#submit] says
    public Job submit(JobRequest request, Optional<String> key) {
        return submit(request, key, () -> new Admitted(request, () -> {}));
    }

    /// @param asked what a key stands for
    /// @param judge is asked only where this is a new request
    /// @throws MainstayException as above, and what the judge throws
    public Job submit(JobRequest asked, Optional<String> key, Supplier<Admitted> judge) {
        return key.isEmpty()
                ? begun(judge.get())
                : once(asked, demandKey(key.get()), judge);
    }

    private Job begun(Admitted admitted) {
        return Objects.requireNonNull(
                transactions.execute(
                        _ -> {
                            admitted.first.run();
                            return desk.submit(admitted.request);
                        }));
    }

    private static String demandKey(String key) {
        if (!KEY.matcher(key).matches()) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID,
                    "Idempotency-Key is no text of up to 255 visible ASCII characters");
        }
        return key;
    }

    private Job once(JobRequest request, String key, Supplier<Admitted> judge) {
        String digest = digest(request);
        Optional<Job> earlier = earlier(request, key, digest);
        if (earlier.isPresent()) {
            return earlier.get();
        }
        try {
            Admitted admitted = judge.get();
            return Objects.requireNonNull(
                    transactions.execute(_ -> begun(admitted, request, key, digest)));
        } catch (DuplicateKeyException | MainstayException sameMoment) {
            return earlier(request, key, digest).orElseThrow(() -> sameMoment);
        }
    }

    private Job begun(Admitted admitted, JobRequest request, String key, String digest) {
        Instant now = clock.instant();
        jdbc.sql("delete from idempotency where created_at < :before")
                .param("before", SqlTime.of(now.minus(KEPT)))
                .update();
        Job job = begun(admitted);
        jdbc.sql(
                        """
                        insert into idempotency (who, idempotency_key, digest, job, created_at)
                        values (:who, :key, :digest, :job, :now)
                        """)
                .param("who", request.requestedBy())
                .param("key", key)
                .param("digest", digest)
                .param("job", job.id())
                .param("now", SqlTime.of(now))
                .update();
        return job;
    }

    private Optional<Job> earlier(JobRequest request, String key, String digest) {
        Optional<Known> known =
                jdbc.sql(
                                """
                                select digest, job from idempotency
                                where who = :who and idempotency_key = :key and created_at >= :since
                                """)
                        .param("who", request.requestedBy())
                        .param("key", key)
                        .param("since", SqlTime.of(clock.instant().minus(KEPT)))
                        .query(
                                (row, _) ->
                                        new Known(row.getString("digest"), row.getString("job")))
                        .optional();
        if (known.isPresent() && !known.get().digest.equals(digest)) {
            throw new MainstayException(
                    ErrorCode.KEY_REUSED, "this Idempotency-Key stands for another request");
        }
        return known.map(each -> table.get(each.job));
    }

    private static String digest(JobRequest request) {
        Map<String, String> all = new TreeMap<>(request.parameters());
        all.put("", request.kind().word() + " " + request.target());
        return Bytes.sha256Hex(JsonMap.write(all));
    }
}
