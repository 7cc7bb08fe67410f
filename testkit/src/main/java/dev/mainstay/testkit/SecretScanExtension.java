package dev.mainstay.testkit;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;
import org.junit.jupiter.api.io.TempDir;

import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Parameter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// Looks through the temporary folders of every test, which JUnit is about to delete, for secrets.
/// JUnit finds this by itself.
public final class SecretScanExtension
        implements AfterEachCallback, AfterAllCallback, InvocationInterceptor {
    @Override
    public void afterEach(ExtensionContext context) {
        for (Object instance : context.getRequiredTestInstances().getAllInstances()) {
            fields(instance.getClass(), instance);
        }
    }

    @Override
    public void afterAll(ExtensionContext context) {
        fields(context.getRequiredTestClass(), null);
    }

    private static void fields(Class<?> of, @Nullable Object instance) {
        for (Class<?> each = of; each != null; each = each.getSuperclass()) {
            for (Field field : each.getDeclaredFields()) {
                boolean ours = Modifier.isStatic(field.getModifiers()) == (instance == null);
                if (ours && field.isAnnotationPresent(TempDir.class)) {
                    field.setAccessible(true);
                    try {
                        scan(field.get(instance));
                    } catch (IllegalAccessException impossible) {
                        throw new AssertionError(impossible);
                    }
                }
            }
        }
    }

    @Override
    public void interceptTestMethod(
            Invocation<Void> invocation,
            ReflectiveInvocationContext<Method> method,
            ExtensionContext context)
            throws Throwable {
        proceed(invocation, method);
    }

    @Override
    public void interceptTestTemplateMethod(
            Invocation<Void> invocation,
            ReflectiveInvocationContext<Method> method,
            ExtensionContext context)
            throws Throwable {
        proceed(invocation, method);
    }

    private static void proceed(
            Invocation<Void> invocation, ReflectiveInvocationContext<Method> method)
            throws Throwable {
        invocation.proceed();
        Parameter[] parameters = method.getExecutable().getParameters();
        List<Object> arguments = method.getArguments();
        for (int i = 0; i < parameters.length; i++) {
            if (parameters[i].isAnnotationPresent(TempDir.class)) {
                scan(arguments.get(i));
            }
        }
    }

    private static void scan(@Nullable Object folder) {
        if (folder instanceof Path path && Files.isDirectory(path)) {
            SecretScan.demandNone(path);
        }
    }
}
