import "./index.css"
import "./metrics.css"
