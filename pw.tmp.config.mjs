import c from './playwright.config.mjs';
export default { ...c, webServer: undefined };
