package dev.mainstay.engine.recover;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.postgres.protocol.ConnectionSpec;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.Map;

class TargetDatabaseTest {
    @ParameterizedTest
    @CsvSource({
        "postgresql://u:secret@h:5432/d?sslmode=require, postgresql://u@h:5432/d?sslmode=require",
        "postgresql://u:se@cret@h/d, postgresql://u@h/d",
        "postgresql://u@h/d?password=secret&sslmode=require, postgresql://u@h/d?sslmode=require",
        "postgresql://u@h/d?password=secret, postgresql://u@h/d",
        "postgresql:///d?host=/run/x:y, postgresql:///d?host=/run/x:y",
        "postgresql://u@h:5432/d, postgresql://u@h:5432/d",
    })
    void noProcessListShowsThePassword(String url, String shown) {
        assertThat(TargetDatabase.withoutPassword(url)).isEqualTo(shown);
    }

    @Test
    void thePasswordGoesIntoTheEnvironmentOfTheProgram() {
        String url = "postgresql://u@h/d";
        TargetDatabase target =
                new TargetDatabase(url, ConnectionSpec.parse(url, Map.of("PGPASSWORD", "se'cret")));
        assertThat(target.variables())
                .containsEntry("PGPASSWORD", "se'cret")
                .containsEntry("PGUSER", "u")
                .containsEntry("PGDATABASE", "d");
        assertThat(target.url()).isEqualTo(url);
        assertThat(target.toString()).doesNotContain("cret");
    }
}
