package dev.mainstay.server.alert;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.util.List;

class UsualTest {
    @Test
    void whatVariesMuchMayVaryMuch() {
        Usual usual =
                Usual.of(List.of(60.0, 80.0, 90.0, 100.0, 110.0, 120.0, 140.0, 100.0))
                        .orElseThrow();
        assertThat(usual).isEqualTo(new Usual(100, 15));
        assertThat(usual.isTooMuch(175)).isFalse();
        assertThat(usual.isTooMuch(176)).isTrue();
        assertThat(usual.isTooLittle(25)).isFalse();
        assertThat(usual.isTooLittle(24)).isTrue();
    }

    @Test
    void whatNeverVariedMayVaryByHalf() {
        Usual usual = Usual.of(List.of(9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0)).orElseThrow();
        assertThat(usual.isTooMuch(13.5)).isFalse();
        assertThat(usual.isTooMuch(13.6)).isTrue();
        assertThat(usual.isTooLittle(4.4)).isTrue();
    }

    @Test
    void oneThatIsFarOffChangesNothing() {
        assertThat(Usual.of(List.of(9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9000.0)).orElseThrow())
                .isEqualTo(Usual.of(List.of(9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0)).orElseThrow());
    }

    @Test
    void sevenAreTooFew() {
        assertThat(Usual.of(List.of(1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0))).isEmpty();
    }
}
