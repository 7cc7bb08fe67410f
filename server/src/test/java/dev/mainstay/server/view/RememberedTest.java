package dev.mainstay.server.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;

class RememberedTest {
    private final AtomicReference<Instant> now =
            new AtomicReference<>(Instant.parse("2026-11-22T00:00:00Z"));
    private final List<Runnable> waiting = new ArrayList<>();
    private boolean atOnce = true;
    private boolean broken;
    private int reads;

    private final Remembered<String, Integer> remembered =
            new Remembered<>(
                    _ -> read(),
                    Duration.ofSeconds(5),
                    Duration.ofSeconds(60),
                    now::get,
                    work -> {
                        if (atOnce) {
                            Thread.ofVirtual().start(work);
                        } else {
                            waiting.add(work);
                        }
                    });

    private int read() {
        if (broken) {
            throw new IllegalStateException("away");
        }
        return ++reads;
    }

    private void pass(int seconds) {
        now.updateAndGet(time -> time.plusSeconds(seconds));
    }

    @Test
    void whatIsFreshIsNotReadAgain() {
        assertThat(remembered.get("a")).isEqualTo(1);
        pass(5);
        assertThat(remembered.get("a")).isEqualTo(1);
        assertThat(reads).isEqualTo(1);
    }

    @Test
    void whatIsNotQuiteFreshIsAnsweredAtOnceAndReadOnceMeanwhile() {
        assertThat(remembered.get("a")).isEqualTo(1);
        atOnce = false;
        pass(6);
        assertThat(remembered.get("a")).isEqualTo(1);
        assertThat(remembered.get("a")).isEqualTo(1);
        assertThat(waiting).hasSize(1);
        waiting.getFirst().run();
        assertThat(remembered.get("a")).isEqualTo(2);
    }

    @Test
    void whatCannotBeReadIsToldOnlyOnceTheLastAnswerIsTooOld() {
        assertThat(remembered.get("a")).isEqualTo(1);
        broken = true;
        pass(60);
        assertThat(remembered.get("a")).isEqualTo(1);
        pass(1);
        assertThatThrownBy(() -> remembered.get("a")).hasMessage("away");
        broken = false;
        assertThat(remembered.get("a")).isEqualTo(2);
    }

    @Test
    void whatWasForgottenWhileItWasReadIsReadAgain() {
        assertThat(remembered.get("a")).isEqualTo(1);
        atOnce = false;
        pass(6);
        assertThat(remembered.get("a")).isEqualTo(1);
        remembered.forget("a");
        waiting.getFirst().run(); // began before the change
        atOnce = true;
        assertThat(remembered.get("a")).isEqualTo(3);
    }
}
