import './tracing.js';
import { createApp } from './create-app.js';

const app = await createApp();
app.enableShutdownHooks();
await app.listen(process.env['PORT'] ?? 3000, '127.0.0.1');
