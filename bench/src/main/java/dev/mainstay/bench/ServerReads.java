package dev.mainstay.bench;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// `URL TOKEN SOURCES ENTRIES CLIENTS REQUESTS PAUSE-MILLIS`: so many clients read what a console
/// would, each so many times with a pause after each answer; prints the times of each kind of
/// request, and of all. Fails if one of them is not answered.
public final class ServerReads {
    private static final Pattern NEXT = Pattern.compile("\"next\":\"([^\"]+)");
    private static final Pattern BACKUP = Pattern.compile("\"backup\":\"([^\"]+)");

    private final URI url;
    private final String token;
    private final int sources;
    private final int entries;
    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final Map<String, List<Long>> nanos = new TreeMap<>();

    private ServerReads(URI url, String token, int sources, int entries) {
        this.url = url;
        this.token = token;
        this.sources = sources;
        this.entries = entries;
    }

    public static void main(String[] arguments) throws InterruptedException {
        ServerReads reads =
                new ServerReads(
                        URI.create(arguments[0]),
                        arguments[1],
                        Integer.parseInt(arguments[2]),
                        Integer.parseInt(arguments[3]));
        int clients = Integer.parseInt(arguments[4]);
        int requests = Integer.parseInt(arguments[5]);
        long pause = Long.parseLong(arguments[6]);
        Queue<Throwable> broken = new ConcurrentLinkedQueue<>();
        List<Thread> threads = new ArrayList<>();
        long begun = System.nanoTime();
        for (int i = 0; i < clients; i++) {
            Random random = new Random(i);
            threads.add(
                    Thread.ofPlatform()
                            .uncaughtExceptionHandler((_, why) -> broken.add(why))
                            .start(() -> reads.work(random, requests, pause)));
        }
        for (Thread each : threads) {
            each.join();
        }
        reads.tell(Duration.ofNanos(System.nanoTime() - begun));
        if (!broken.isEmpty()) {
            throw new IllegalStateException(broken.size() + " clients gave up", broken.element());
        }
    }

    private void work(Random random, int requests, long pause) {
        try {
            String cursor = "";
            String backup = "";
            for (int i = 0; i < requests; i++) {
                String source = "s" + random.nextInt(sources);
                switch (random.nextInt(10)) {
                    case 0 -> ask("sources", "/api/v1/sources");
                    case 1 -> ask("source", "/api/v1/sources/" + source);
                    case 2, 3 -> {
                        String page =
                                ask(
                                        "backups, first page",
                                        "/api/v1/sources/" + source + "/backups");
                        cursor =
                                found(NEXT, page)
                                        .map(
                                                next ->
                                                        "/api/v1/sources/"
                                                                + source
                                                                + "/backups?cursor="
                                                                + next)
                                        .orElse("");
                        backup = found(BACKUP, page).orElse("");
                    }
                    case 4 -> {
                        if (!cursor.isEmpty()) {
                            ask("backups, next page", cursor);
                        }
                    }
                    case 5 -> {
                        if (!backup.isEmpty()) {
                            ask("backup", "/api/v1/backups/" + backup);
                        }
                    }
                    case 6 -> ask("audit, newest", "/api/v1/audit?limit=100");
                    case 7 ->
                            ask(
                                    "audit, somewhere",
                                    "/api/v1/audit?limit=100&cursor="
                                            + (entries / 1000
                                                    + random.nextInt(entries - entries / 1000)));
                    case 8 ->
                            ask(
                                    "audit, of one",
                                    "/api/v1/audit?limit=100&who=token%20" + random.nextInt(30));
                    default -> ask("jobs", "/api/v1/jobs");
                }
                Thread.sleep(pause);
            }
        } catch (IOException | InterruptedException broken) {
            throw new IllegalStateException(broken);
        }
    }

    private static Optional<String> found(Pattern what, String in) {
        Matcher matcher = what.matcher(in);
        return matcher.find() ? Optional.of(matcher.group(1)) : Optional.empty();
    }

    private String ask(String kind, String path) throws IOException, InterruptedException {
        HttpRequest request =
                HttpRequest.newBuilder(url.resolve(path))
                        .header("Authorization", "Bearer " + token)
                        .build();
        long begun = System.nanoTime();
        HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
        long took = System.nanoTime() - begun;
        if (answer.statusCode() != 200) {
            throw new IllegalStateException(
                    path + " answers " + answer.statusCode() + " " + answer.body());
        }
        synchronized (nanos) {
            nanos.computeIfAbsent(kind, _ -> new ArrayList<>()).add(took);
        }
        return answer.body();
    }

    private void tell(Duration took) {
        Map<String, List<Long>> all = new LinkedHashMap<>(nanos);
        all.put("all", nanos.values().stream().flatMap(List::stream).toList());
        System.out.printf(
                Locale.ROOT,
                "%-22s %8s %8s %8s %8s %8s%n",
                "milliseconds",
                "requests",
                "median",
                "p95",
                "p99",
                "greatest");
        all.forEach(
                (kind, times) -> {
                    long[] sorted = times.stream().mapToLong(Long::longValue).sorted().toArray();
                    System.out.printf(
                            Locale.ROOT,
                            "%-22s %8d %8.1f %8.1f %8.1f %8.1f%n",
                            kind,
                            sorted.length,
                            at(sorted, 50),
                            at(sorted, 95),
                            at(sorted, 99),
                            at(sorted, 100));
                });
        System.out.printf(
                Locale.ROOT,
                "%.0f requests a second%n",
                all.get("all").size() * 1e9 / took.toNanos());
    }

    private static double at(long[] sorted, int percent) {
        return Arrays.stream(sorted)
                        .skip(Math.max(0, (long) sorted.length * percent / 100 - 1))
                        .findFirst()
                        .orElse(0)
                / 1e6;
    }
}
