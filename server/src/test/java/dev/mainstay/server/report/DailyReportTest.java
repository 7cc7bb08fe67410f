package dev.mainstay.server.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.engine.config.Severity;
import dev.mainstay.server.alert.Alert;
import dev.mainstay.server.alert.AlertState;
import dev.mainstay.server.alert.Scene;

import org.junit.jupiter.api.Test;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

class DailyReportTest {
    private static Alert alert(Severity severity, String title) {
        Instant now = Scene.NOON;
        return new Alert(
                "a", "k", "r", "orders", severity, AlertState.FIRING, "", title, "reason", "m",
                "do this", now, now, now, Optional.empty(), Optional.empty(), Optional.empty(),
                Optional.empty(), Optional.empty());
    }

    @Test
    void itHasTheFieldsThatOperatorsRead() {
        DailyReport report = DailyReport.of(Scene.well().facts(), List.of(), Scene.NOON);
        JsonNode json = JsonMapper.shared().valueToTree(report);
        assertThat(json.propertyNames())
                .contains(
                        "reportDate",
                        "databaseBackups",
                        "fileBackups",
                        "configurationBackups",
                        "overallHealth",
                        "recommendations");
        JsonNode orders = json.get("databaseBackups").get(0);
        assertThat(orders.get("source").asString()).isEqualTo("orders");
        assertThat(orders.get("backups").asInt()).as("in the last day").isEqualTo(1);
        assertThat(orders.get("kept").asInt()).isEqualTo(22);
        assertThat(orders.get("recoveryPointSeconds").asLong()).isEqualTo(5);
        assertThat(orders.get("recoveryTimeSeconds").isNull()).as("nothing was restored").isTrue();
        assertThat(report.overallHealth()).isEqualTo("healthy");
        assertThat(report.recommendations())
                .anyMatch(each -> each.contains("no copy"))
                .anyMatch(each -> each.contains("mainstay restore orders"));
    }

    @Test
    void whatIsWrongComesFirstWithWhatToDo() {
        DailyReport report =
                DailyReport.of(
                        Scene.well().facts(),
                        List.of(alert(Severity.WARNING, "slow"), alert(Severity.CRITICAL, "<failed>")),
                        Scene.NOON);
        assertThat(report.overallHealth()).isEqualTo("critical");
        assertThat(report.recommendations().getFirst()).isEqualTo("<failed>: do this");
        assertThat(report.text()).contains("Overall: critical", "- slow: do this");
        assertThat(report.html()).contains("&lt;failed&gt;").doesNotContain("<failed>");
    }
}
