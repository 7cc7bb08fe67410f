package dev.mainstay.engine.recover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class QualifiedNameTest {
    @Test
    void whatIsNotInQuotesIsLowerCase() {
        assertThat(QualifiedName.parse("Public.Orders"))
                .isEqualTo(new QualifiedName("public", "orders"))
                .hasToString("public.orders");
    }

    @Test
    void whatIsInQuotesStaysAsItIs() {
        QualifiedName name = QualifiedName.parse("\"My.Schema\".\"Größe \"\"x\"\" $1\"");
        assertThat(name).isEqualTo(new QualifiedName("My.Schema", "Größe \"x\" $1"));
        assertThat(name.quoted()).isEqualTo("\"My.Schema\".\"Größe \"\"x\"\" $1\"");
        assertThat(QualifiedName.parse(name.toString())).isEqualTo(name);
    }

    @Test
    void theSchemaMayBeLeftOutWhereOneIsKnown() {
        assertThat(QualifiedName.parse("\"X\"", "s")).isEqualTo(new QualifiedName("s", "X"));
        assertThat(QualifiedName.parse("a.b", "s")).isEqualTo(new QualifiedName("a", "b"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "t", ".", "a.", ".b", "a.b.c", "\"a.b", "a\"b.c", "\"a\"b.c", "\"\".b"})
    void whatNamesNoTableIsRefused(String text) {
        assertThatThrownBy(() -> QualifiedName.parse(text))
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        wrong -> assertThat(wrong.code()).isEqualTo(ErrorCode.USAGE_INVALID));
    }
}
