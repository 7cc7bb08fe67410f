package dev.mainstay.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.DeleteOutcome;
import dev.mainstay.storage.ListPage;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.StoredObject;
import dev.mainstay.storage.memory.MemoryStore;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// What every [ObjectStore] must do, whatever it is made of. An adapter is finished when its
/// subclass of this suite is green.
public abstract class ObjectStoreContract {
    private static final long SEED = 20261121;

    private ObjectStore store = MemoryStore.create(); // replaced before each test

    /// A new, empty store.
    protected abstract ObjectStore openEmpty();

    /// What is expected of its facts.
    protected abstract boolean expectsPutIfAbsent();

    /// How an object in the folder of another is refused, and a folder in the place of an object.
    protected Set<ErrorCode> refusalsOfFolders() {
        return Set.of(ErrorCode.STORE_OBJECT_EXISTS);
    }

    /// Whether a put under the name of a folder is told EXISTED, though there is no object; true
    /// only where the server of a test, not the adapter, does so.
    protected boolean takesFoldersForObjects() {
        return false;
    }

    /// The longest part of a name between slashes; less only where the server of a test, not the
    /// adapter, can do no more.
    protected int longestSegment() {
        return 255;
    }

    @BeforeEach
    final void openStore() {
        store = openEmpty();
    }

    @AfterEach
    final void closeStore() {
        store.close();
    }

    @Test
    void theFactsSayWhatWasProbed() {
        assertThat(store.facts().putIfAbsent()).isEqualTo(expectsPutIfAbsent());
        assertThat(store.facts().url()).isNotBlank();
    }

    @Test
    void anObjectIsReadBackAsItWasPut() {
        byte[] content = random(10_000);
        assertThat(store.put("packs/ab/cd", ByteBuffer.wrap(content)))
                .isEqualTo(PutOutcome.CREATED);
        assertThat(store.get("packs/ab/cd", 0, content.length)).isEqualTo(content);
        assertThat(store.size("packs/ab/cd")).contains(10_000L);
    }

    @Test
    void aPutWritesFromPositionToLimitAndChangesNeither() {
        for (ByteBuffer content : List.of(ByteBuffer.allocate(10), ByteBuffer.allocateDirect(10))) {
            String name = content.isDirect() ? "direct" : "heap";
            content.put("0123456789".getBytes(US_ASCII)).position(2).limit(6);
            store.put(name, content.asReadOnlyBuffer());
            store.put(name + "-2", content);
            assertThat(content.position()).isEqualTo(2);
            assertThat(content.limit()).isEqualTo(6);
            assertThat(text(name)).isEqualTo("2345");
            assertThat(text(name + "-2")).isEqualTo("2345");
        }
    }

    @Test
    void aSecondPutOfANameChangesNothing() {
        put("a/b", "first");
        assertThat(put("a/b", "second, longer")).isEqualTo(PutOutcome.EXISTED);
        assertThat(put("a/b", "first")).isEqualTo(PutOutcome.EXISTED);
        assertThat(text("a/b")).isEqualTo("first");
    }

    @Test
    void ofManyThreadsThatRaceForANameOneWins() throws Exception {
        int threads = 8;
        CyclicBarrier start = new CyclicBarrier(threads);
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int round = 0; round < 25; round++) {
                String name = "race/" + round + "/x";
                List<Future<PutOutcome>> outcomes = new ArrayList<>();
                for (int thread = 0; thread < threads; thread++) {
                    String content = "content of thread " + thread;
                    Callable<PutOutcome> racer =
                            () -> {
                                start.await();
                                return put(name, content);
                            };
                    outcomes.add(executor.submit(racer));
                }
                List<Integer> winners = new ArrayList<>();
                for (int thread = 0; thread < threads; thread++) {
                    if (outcomes.get(thread).get() == PutOutcome.CREATED) {
                        winners.add(thread);
                    }
                }
                assertThat(winners).hasSize(1);
                assertThat(text(name)).isEqualTo("content of thread " + winners.getFirst());
            }
        }
    }

    @Test
    void putsAndDeletesInOneFolderDoNotDisturbEachOther() throws Exception {
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> workers = new ArrayList<>();
            for (int worker = 0; worker < 4; worker++) {
                String name = "come/and/go/" + worker;
                workers.add(
                        executor.submit(
                                () -> {
                                    for (int round = 0; round < 50; round++) {
                                        assertThat(put(name, "x")).isEqualTo(PutOutcome.CREATED);
                                        assertThat(store.delete(name))
                                                .isEqualTo(DeleteOutcome.DELETED);
                                    }
                                }));
            }
            for (Future<?> worker : workers) {
                worker.get();
            }
        }
        assertThat(listAll("", 10)).isEmpty();
    }

    @Test
    void aReplacedObjectIsTheNewOneForEverybody() {
        put("re/placed", "damaged, and longer");
        put("re/other", "untouched");
        store.replace("re/placed", ByteBuffer.wrap("wh".getBytes(US_ASCII)), bytes("ole"));
        assertThat(text("re/placed")).isEqualTo("whole");
        assertThat(store.size("re/placed")).contains(5L);
        store.replace("re/placed", bytes("whole"));
        assertThat(text("re/placed")).isEqualTo("whole");
        assertThat(put("re/placed", "another")).isEqualTo(PutOutcome.EXISTED);
        assertThat(text("re/placed")).isEqualTo("whole");
        assertThat(text("re/other")).isEqualTo("untouched");
        assertThat(store.list("re/", "", 10).objects())
                .containsExactly(new StoredObject("re/other", 9), new StoredObject("re/placed", 5));
        assertThat(store.delete("re/placed")).isEqualTo(DeleteOutcome.DELETED);
        store.replace("re/placed", bytes("where nothing was"));
        assertThat(text("re/placed")).isEqualTo("where nothing was");
    }

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(US_ASCII));
    }

    @Test
    void rangesAreReadExactly() {
        byte[] content = random(3_000_000);
        store.put("ranges", ByteBuffer.wrap(content));
        Random random = new Random(SEED);
        for (int i = 0; i < 200; i++) {
            int offset = random.nextInt(content.length + 1);
            int length = random.nextInt(content.length - offset + 1);
            assertThat(ByteBuffer.wrap(store.get("ranges", offset, length)))
                    .as("seed %d: %d from %d", SEED, length, offset)
                    .isEqualTo(ByteBuffer.wrap(content, offset, length));
        }
    }

    @Test
    void anObjectIsReadWholeAndItsAbsenceIsAnAnswer() {
        for (int length : new int[] {0, 1, 10_000, 9_000_000}) {
            byte[] content = random(length);
            store.put("whole/" + length, ByteBuffer.wrap(content));
            assertThat(store.whole("whole/" + length))
                    .as("%d bytes", length)
                    .hasValueSatisfying(read -> assertThat(read).isEqualTo(content));
        }
        assertThat(store.whole("whole/none")).isEmpty();
        assertThat(store.whole("whole")).isEmpty();
        store.delete("whole/1");
        assertThat(store.whole("whole/1")).isEmpty();
        store.replace("whole/10000", bytes("another"));
        assertThat(store.whole("whole/10000")).hasValue("another".getBytes(US_ASCII));
    }

    @Test
    void aReadBeyondTheEndIsAnError() {
        put("short", "12345");
        for (long offset : new long[] {0, 5, 6, Integer.MAX_VALUE, Long.MAX_VALUE}) {
            fails(ErrorCode.STORE_READ_SHORT, () -> store.get("short", offset, 6));
        }
        fails(ErrorCode.STORE_READ_SHORT, () -> store.get("short", 0, Integer.MAX_VALUE));
        fails(ErrorCode.STORE_READ_SHORT, () -> store.get("short", 6, 0));
        assertThat(store.get("short", 5, 0)).isEmpty();
        assertThatThrownBy(() -> store.get("short", -1, 2))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> store.get("short", 0, -1))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void whatIsNotThereIsMissing() {
        put("there/is", "x");
        for (String absent : List.of("nothing", "there", "there/is-not", "there/is/no", "no/way")) {
            fails(ErrorCode.STORE_OBJECT_MISSING, () -> store.get(absent, 0, 0));
            fails(ErrorCode.STORE_OBJECT_MISSING, () -> store.get(absent, 0, 1));
            assertThat(store.size(absent)).isEmpty();
            assertThat(store.delete(absent)).isEqualTo(DeleteOutcome.ABSENT);
        }
        assertThat(text("there/is")).isEqualTo("x");
    }

    @Test
    void anEmptyObjectIsAnObject() {
        assertThat(put("empty", "")).isEqualTo(PutOutcome.CREATED);
        assertThat(put("empty", "x")).isEqualTo(PutOutcome.EXISTED);
        assertThat(store.size("empty")).contains(0L);
        assertThat(store.get("empty", 0, 0)).isEmpty();
        assertThat(store.list("", "", 5).objects()).containsExactly(new StoredObject("empty", 0));
    }

    @Test
    void anObjectOf64MebibytesIsKeptWhole() {
        byte[] content = random(64 << 20);
        assertThat(store.put("large", ByteBuffer.wrap(content))).isEqualTo(PutOutcome.CREATED);
        assertThat(ByteBuffer.wrap(store.get("large", 0, content.length)))
                .isEqualTo(ByteBuffer.wrap(content));
    }

    /// A store may write large pieces in another way than the rest.
    @Test
    void buffersOfAnyLengthsMakeOneObject() {
        Random random = new Random(SEED);
        int mebibyte = 1 << 20;
        for (int size :
                new int[] {
                    mebibyte - 1,
                    mebibyte,
                    mebibyte + 1,
                    3 * mebibyte,
                    3 * mebibyte + random.nextInt(mebibyte)
                }) {
            byte[] content = random(size);
            List<ByteBuffer> parts = new ArrayList<>();
            for (int at = 0; at < size; ) {
                int length = Math.min(size - at, random.nextInt(2 * mebibyte));
                parts.add(ByteBuffer.wrap(content, at, length));
                at += length;
            }
            String name = "parts-" + size;
            assertThat(store.put(name, parts.toArray(ByteBuffer[]::new)))
                    .isEqualTo(PutOutcome.CREATED);
            assertThat(store.size(name)).contains((long) size);
            assertThat(ByteBuffer.wrap(store.get(name, 0, size)))
                    .as("seed %d: %d bytes", SEED, size)
                    .isEqualTo(ByteBuffer.wrap(content));
            assertThat(parts.stream().mapToLong(ByteBuffer::remaining).sum()).isEqualTo(size);
        }
    }

    @Test
    void aDeletedNameIsFreeAgain() {
        put("x/y/z", "1");
        assertThat(store.delete("x/y/z")).isEqualTo(DeleteOutcome.DELETED);
        assertThat(store.delete("x/y/z")).isEqualTo(DeleteOutcome.ABSENT);
        assertThat(store.size("x/y/z")).isEmpty();
        assertThat(put("x/y/z", "2")).isEqualTo(PutOutcome.CREATED);
        assertThat(text("x/y/z")).isEqualTo("2");
        assertThat(store.delete("x/y/z")).isEqualTo(DeleteOutcome.DELETED);
        assertThat(put("x/y", "a name that was a folder")).isEqualTo(PutOutcome.CREATED);
    }

    @Test
    void anObjectAndItsFolderAreKeptApartOrRefused() {
        put("name", "object");
        try {
            put("name/inside", "inside");
            assertThat(text("name/inside")).isEqualTo("inside");
        } catch (MainstayException refused) {
            assertThat(refused.code()).isIn(refusalsOfFolders());
        }
        put("folder/inside", "inside");
        try {
            if (put("folder", "object") == PutOutcome.CREATED || !takesFoldersForObjects()) {
                assertThat(text("folder")).isEqualTo("object");
            }
        } catch (MainstayException refused) {
            assertThat(refused.code()).isIn(refusalsOfFolders());
        }
        assertThat(text("name")).isEqualTo("object");
        assertThat(text("folder/inside")).isEqualTo("inside");
    }

    @Test
    void namesOutsideTheRulesAreRefused() {
        List<String> bad =
                List.of(
                        "",
                        "/",
                        "/a",
                        "a/",
                        "a//b",
                        ".",
                        "..",
                        "a/..",
                        "../a",
                        "a/./b",
                        "a b",
                        "a\\b",
                        "a\0",
                        "ä",
                        "a:b",
                        ".tmp~",
                        "x.tmp~/y",
                        "a*",
                        "a\n",
                        "x".repeat(256),
                        "x/".repeat(256) + "x");
        for (String name : bad) {
            fails(ErrorCode.STORE_NAME_INVALID, () -> put(name, "x"));
            fails(ErrorCode.STORE_NAME_INVALID, () -> store.get(name, 0, 0));
            fails(ErrorCode.STORE_NAME_INVALID, () -> store.size(name));
            fails(ErrorCode.STORE_NAME_INVALID, () -> store.delete(name));
        }
        for (String prefix : List.of("/", "//", "../", "a/../", "a//", "ä", ".tmp~/")) {
            fails(ErrorCode.STORE_NAME_INVALID, () -> store.list(prefix, "", 1));
        }
    }

    @Test
    void oddNamesInsideTheRulesAreKept() {
        List<String> good =
                List.of(
                        "...",
                        "-",
                        "_",
                        ".hidden",
                        "a..b",
                        "A",
                        "x".repeat(longestSegment()),
                        "y/".repeat(255) + "yy",
                        "0/..0");
        for (String name : good) {
            assertThat(put(name, name)).isEqualTo(PutOutcome.CREATED);
            assertThat(text(name)).isEqualTo(name);
        }
        assertThat(listAll("", 4).keySet()).containsExactlyInAnyOrderElementsOf(good);
    }

    @Test
    void aListingIsInTheOrderOfWholeNames() {
        for (String name : List.of("a/b", "a.b", "a-b", "a0", "a-/b", "a./c", "ab", "a-.x/1")) {
            put(name, name);
        }
        assertThat(store.list("", "", 100).objects())
                .extracting(StoredObject::name)
                .containsExactly("a-.x/1", "a-/b", "a-b", "a./c", "a.b", "a/b", "a0", "ab");
    }

    @Test
    void anyListingOfAnySetOfNamesIsASliceOfTheSortedSet() {
        Random random = new Random(SEED);
        TreeMap<String, Long> expected = new TreeMap<>();
        for (int i = 0; i < 150; i++) {
            String name = randomName(random);
            try {
                if (put(name, name) == PutOutcome.CREATED) {
                    expected.put(name, (long) name.length());
                }
            } catch (MainstayException folder) {
                assertThat(folder.code()).isIn(refusalsOfFolders());
            }
        }
        for (int i = 0; i < 300; i++) {
            String some = randomName(random);
            String prefix = some.substring(0, random.nextInt(Math.min(4, some.length()) + 1));
            String after = random.nextInt(3) == 0 ? "" : randomName(random);
            int limit = 1 + random.nextInt(40);
            checkPage(expected, prefix, after, limit);
        }
        assertThat(listAll("", 7)).isEqualTo(expected);
    }

    @Test
    void whoFollowsTheWordOfEachPageSeesEverythingOnce() {
        List<String> names = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            String name = "pages/" + (i % 4) + "/object-" + (10 + i);
            put(name, "x");
            names.add(name);
        }
        put("pages-0", "x");
        names.sort(null);
        for (int limit : new int[] {1, 3, 1000}) {
            List<String> seen = new ArrayList<>();
            String after = "";
            ListPage page;
            do {
                page = store.list("pages/", after, limit);
                page.objects().forEach(object -> seen.add(object.name()));
                after = page.next();
            } while (!page.last());
            assertThat(seen).as("by " + limit).isEqualTo(names);
        }
    }

    private void checkPage(
            NavigableMap<String, Long> expected, String prefix, String after, int limit) {
        List<StoredObject> wanted =
                expected.tailMap(after, false).entrySet().stream()
                        .filter(entry -> entry.getKey().startsWith(prefix))
                        .map(entry -> new StoredObject(entry.getKey(), entry.getValue()))
                        .toList();
        ListPage page = store.list(prefix, after, limit);
        String told = "seed %d: '%s' after '%s'".formatted(SEED, prefix, after);
        assertThat(page.objects())
                .as(told)
                .isEqualTo(wanted.subList(0, Math.min(page.objects().size(), wanted.size())))
                .hasSizeLessThanOrEqualTo(limit);
        if (page.last()) {
            assertThat(page.objects()).as(told).hasSameSizeAs(wanted);
        } else {
            assertThat(page.objects()).as(told).isNotEmpty();
        }
    }

    private static String randomName(Random random) {
        StringBuilder name = new StringBuilder();
        int segments = 1 + random.nextInt(3);
        for (int segment = 0; segment < segments; segment++) {
            name.append(segment == 0 ? "" : "/").append("ab0Z".charAt(random.nextInt(4)));
            for (int more = random.nextInt(3); more > 0; more--) {
                name.append("a-.0_".charAt(random.nextInt(5)));
            }
        }
        return name.toString();
    }

    /// Ctrl-C and the cancelling of jobs come as interrupts: a call may still do what it was asked
    /// to do, or fail in the catalogue's words, and leaves the thread interrupted.
    @Test
    void anInterruptedThreadIsToldSoInTheCataloguesWords() {
        put("there", "content");
        for (Runnable call :
                List.<Runnable>of(
                        () -> put("other", "content"),
                        () -> store.get("there", 0, 7),
                        () -> store.size("there"),
                        () -> store.list("", "", 10),
                        () -> store.delete("there"))) {
            Thread.currentThread().interrupt();
            try {
                call.run();
            } catch (MainstayException told) {
                assertThat(told.code()).isIn(ErrorCode.STORE_UNAVAILABLE, ErrorCode.INTERRUPTED);
            } finally {
                assertThat(Thread.interrupted()).isTrue();
            }
        }
        put("afterwards", "content");
        assertThat(text("afterwards")).isEqualTo("content");
    }

    /// Lists by pages of `limit` until the last.
    private NavigableMap<String, Long> listAll(String prefix, int limit) {
        TreeMap<String, Long> all = new TreeMap<>();
        String after = "";
        while (true) {
            ListPage page = store.list(prefix, after, limit);
            for (StoredObject object : page.objects()) {
                assertThat(object.name()).isGreaterThan(after);
                all.put(object.name(), object.sizeBytes());
                after = object.name();
            }
            if (page.last()) {
                return all;
            }
        }
    }

    private PutOutcome put(String name, String content) {
        return store.put(name, ByteBuffer.wrap(content.getBytes(US_ASCII)));
    }

    private String text(String name) {
        int size = store.size(name).orElseThrow().intValue();
        return new String(store.get(name, 0, size), US_ASCII);
    }

    private static byte[] random(int size) {
        byte[] bytes = new byte[size];
        new Random(SEED).nextBytes(bytes);
        return bytes;
    }

    private static void fails(ErrorCode code, Runnable call) {
        assertThatThrownBy(call::run)
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        failure -> assertThat(failure.code()).isEqualTo(code));
    }
}
