package dev.mainstay.cli;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;

import org.junit.jupiter.api.Test;

/// What ArchitectureTest holds of the core, of all that is in the jar.
class HouseTest {
    private static final JavaClasses HOUSE =
            new ClassFileImporter()
                    .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                    .importPackages("dev.mainstay");

    @Test
    void onlyTheServerKnowsSpring() {
        noClasses()
                .that()
                .resideOutsideOfPackage("dev.mainstay.server..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.springframework..", "com.zaxxer..", "jakarta..")
                .because("a command must start without any of it")
                .check(HOUSE);
    }

    @Test
    void nobodyButItsCommandsKnowsTheServer() {
        noClasses()
                .that()
                .resideOutsideOfPackage("dev.mainstay.server..")
                .and()
                .doNotHaveFullyQualifiedName(ServerCommand.class.getName())
                .and()
                .doNotHaveFullyQualifiedName(AuditVerifyCommand.class.getName())
                .and()
                .doNotHaveFullyQualifiedName(NotifyTestCommand.class.getName())
                .should()
                .dependOnClassesThat()
                .resideInAPackage("dev.mainstay.server..")
                .because("the server is one more user of the engine, like the command line")
                .check(HOUSE);
    }

    @Test
    void theServerKnowsNoCommandLine() {
        noClasses()
                .that()
                .resideInAPackage("dev.mainstay.server..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("dev.mainstay.cli..", "picocli..")
                .because("both do the same by the engine, not by each other")
                .check(HOUSE);
    }
}
