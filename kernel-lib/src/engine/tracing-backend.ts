/** As tfjs knows the backend; registered only while a trace is made. */
export const tracingBackendName = "prompt2model-trace"
