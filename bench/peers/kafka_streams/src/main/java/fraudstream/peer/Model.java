package fraudstream.peer;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Map;

/** The ONNX model on one thread, with the settings of models/families/session.py; safe for several threads. */
final class Model {
    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final OrtSession session;

    Model(Path graph) throws OrtException {
        OrtSession.SessionOptions options = new OrtSession.SessionOptions();
        options.setIntraOpNumThreads(1);
        options.setInterOpNumThreads(1);
        options.setExecutionMode(OrtSession.SessionOptions.ExecutionMode.SEQUENTIAL);
        options.addConfigEntry("session.intra_op.allow_spinning", "0");
        session = environment.createSession(graph.toString(), options);
    }

    /**
     * Returns the probability of fraud of each row.
     *
     * @param values a direct buffer, its position 0 and its limit behind the last row
     */
    float[] score(FloatBuffer values, int rows) throws OrtException {
        float[] scores = new float[rows];
        try (OnnxTensor features = OnnxTensor.createTensor(environment, values, new long[] {rows, Columns.WIDTH});
                OrtSession.Result found = session.run(Map.of("features", features))) {
            ((OnnxTensor) found.get(0)).getFloatBuffer().get(scores);
        }
        return scores;
    }
}
